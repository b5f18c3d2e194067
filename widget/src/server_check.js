/** Whether the address in the settings is our backend and knows this account. Draws nothing. */

import { createApi, problemOf } from "./api.js";

/** @typedef {import("./vocabulary.js").Problem} Problem */
/** @typedef {import("./vocabulary.js").SessionAnswer} SessionAnswer */
/** @typedef {{name: "address" | "answer" | "account", problem: Problem | null}} Check */

const TIMEOUT_MS = 6000;

/**
 * The address without what people paste around it; empty when it cannot be one.
 * @param {string} typed
 */
export function normalised(typed) {
  const url = parsed(typed);
  return url && /^https?:$/.test(url.protocol) ? (url.origin + url.pathname).replace(/\/+$/, "") : "";
}

/**
 * @param {string} typed
 * @returns {Problem | null}
 */
export function addressProblem(typed) {
  const url = parsed(typed);
  if (!typed.trim()) return { slug: "not-configured" };
  if (!url || !/^https?:$/.test(url.protocol)) return { slug: "address-unreadable" };
  // A page over https may not talk to plain http, except on this very machine.
  if (url.protocol === "http:" && !/^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname))
    return { slug: "address-insecure" };
  return null;
}

/**
 * @param {string} url
 * @returns {Promise<Problem | null>}
 */
export async function answerProblem(url) {
  const body = await fetched(`${url}/healthz`, "cors").then(
    (answer) => (answer.ok ? answer.text() : null),
    () => undefined,
  );
  if (typeof body === "string") return null;
  if (body === null) return { slug: "not-our-server" };
  // Unreadable and unreachable look alike to a page; a request that asks for no answer tells them apart.
  const isThere = await fetched(`${url}/healthz`, "no-cors").then(
    () => true,
    () => false,
  );
  return { slug: isThere ? "cors-refused" : "address-silent", temporary: !isThere };
}

/**
 * @param {string} url
 * @param {import("./host.js").Host} host
 * @returns {Promise<{problem: Problem | null, api: import("./api.js").Api, session: SessionAnswer | null}>}
 */
export async function accountProblem(url, host) {
  const api = createApi({ url, authorized: host.authorized });
  try {
    return { problem: null, api, session: await api.session() };
  } catch (error) {
    return { problem: problemOf(error), api, session: null };
  }
}

/**
 * @param {string} url
 * @param {"cors" | "no-cors"} mode
 */
async function fetched(url, mode) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  try {
    return await fetch(url, { mode, cache: "no-store", signal: stop.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} typed */
function parsed(typed) {
  try {
    return new URL(typed.trim());
  } catch (error) {
    return null;
  }
}
