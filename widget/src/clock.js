/** Time and timers, in one place so that tests can hold them. */

/**
 * @typedef {object} Clock
 * @property {() => number} nowS Unix seconds
 * @property {(ms: number, action: () => void) => () => void} after runs once; the answer cancels it
 */

/** @type {Clock} */
export const realClock = {
  nowS: () => Date.now() / 1000,
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};
