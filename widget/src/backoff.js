/** How long to wait before trying again: full jitter, so that ten thousand browsers do not come back in one second. */

export const FIRST_MS = 1000;
export const CAP_MS = 30000;

/** While a call rings or talks, its card must be right again within two seconds of the server's return. */
export const URGENT_CAP_MS = 1500;

/**
 * @param {number} attempt 0 for the first
 * @param {{capMs?: number, random?: () => number}} [options]
 * @returns {number} milliseconds
 */
export function delayMs(attempt, { capMs = CAP_MS, random = Math.random } = {}) {
  return Math.round(random() * Math.min(capMs, FIRST_MS * 2 ** Math.min(attempt, 10)));
}
