/** The second way to the backend, where WebSocket is blocked: a long poll for snapshots, requests for the rest. */

import { problemOf } from "./api.js";
import { BrowserWord, LONG_POLL_S, ServerWord } from "./vocabulary.js";

/** After this long the socket gets another chance: the agent may have left the office's proxy. */
const ENOUGH_S = 180;

/** The server holds a poll for LONG_POLL_S; the rest is the way there and back. */
const TIMEOUT_MS = (LONG_POLL_S + 10) * 1000;

/**
 * @param {object} options
 * @param {import("./api.js").Api} options.api
 * @param {import("./clock.js").Clock} options.clock
 * @param {(message: any) => void} options.onMessage
 * @param {(problem: import("./vocabulary.js").Problem) => void} options.onRefused it decides when `next` is called
 * @param {() => void} options.onEnough
 */
export function createPoll({ api, clock, onMessage, onRefused, onEnough }) {
  let isOn = false;
  let isAsking = false;
  let digest = "";
  let endsAtS = 0;

  function stop() {
    isOn = false;
  }

  async function next() {
    if (!isOn || isAsking) return;
    if (clock.nowS() > endsAtS) {
      stop();
      onEnough();
      return;
    }
    isAsking = true;
    const snapshot = await api
      .request("GET", `/api/poll?digest=${encodeURIComponent(digest)}`, undefined, TIMEOUT_MS)
      .catch(failed);
    isAsking = false;
    if (!isOn || !snapshot) return;
    if (snapshot.digest !== digest) onMessage(snapshot);
    digest = snapshot.digest;
    next();
  }

  /** @param {unknown} error */
  function failed(error) {
    isAsking = false;
    if (isOn) onRefused(problemOf(error));
    return null;
  }

  return {
    isOn: () => isOn,
    start() {
      [isOn, digest, endsAtS] = [true, "", clock.nowS() + ENOUGH_S];
      next();
    },
    next,
    stop,

    /** @param {{type: string, call_id?: string}} message */
    async send({ type, call_id: id }) {
      if (type !== BrowserWord.NOTICE && type !== BrowserWord.DISMISS) return;
      // A claim that got lost is made anew with the next snapshot, a dismissal holds in this browser anyway.
      const answer = await api.request("POST", `/api/calls/${id}/${type}`).catch(() => null);
      if (answer && type === BrowserWord.NOTICE) onMessage({ type: ServerWord.NOTICED, ...answer });
    },
  };
}
