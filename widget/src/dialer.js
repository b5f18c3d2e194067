/** Carries out clicks on numbers, in the leading tab. The state line tells how it goes; nothing is shown from here. */

import { problemOf } from "./api.js";
import { Local } from "./state.js";
import { Capability, ServerWord } from "./vocabulary.js";

/** @typedef {import("./vocabulary.js").DialRequest} DialRequest */

/**
 * An order that another one takes the place of, and what can be done to it.
 * @typedef {{id: string, call_id: string, can: string[]}} Running
 */

/**
 * @param {object} options
 * @param {() => import("./api.js").Api | null} options.getApi nothing while no backend is set
 * @param {(message: any) => void} options.apply
 * @param {() => import("./state.js").State} options.getState
 */
export function createDialer({ getApi, apply, getState }) {
  /** @param {string} path @param {object} [body] */
  async function post(path, body) {
    const api = getApi();
    if (!api) return { problem: { slug: "not-configured" } };
    try {
      return { answer: await api.request("POST", path, body) };
    } catch (error) {
      return { problem: problemOf(error) };
    }
  }

  /** @param {DialRequest} request */
  async function order(request) {
    const { answer, problem } = await post("/api/dial", request);
    if (problem) apply({ type: Local.REFUSED, key: request.key, problem });
    else apply({ type: Local.ACCEPTED, key: request.key, dial: answer.dial });
  }

  return {
    /** @param {{request: DialRequest, replaces: Running | null}} command */
    async dial({ request, replaces }) {
      apply({ type: Local.CLICKED, request });
      // The old order may be over already: the new one says what it comes to.
      if (replaces) await post(endOf(replaces));
      await order(request);
    },

    /** A click whose leader died before the answer came: the same key makes the same call. */
    resume() {
      const { attempt } = getState();
      if (attempt && !attempt.problem) order(attempt.request);
    },

    /** @param {{id: string}} command */
    async cancel({ id }) {
      const { answer, problem } = await post(`/api/dial/${id}/cancel`);
      apply(problem ? { type: Local.TROUBLED, problem } : { type: ServerWord.DIAL, dial: answer.dial });
    },

    /** @param {{call_id: string}} command */
    async hangUp({ call_id: id }) {
      const { problem } = await post(`/api/calls/${id}/hangup`);
      if (problem) apply({ type: Local.TROUBLED, problem });
    },
  };
}

/**
 * An order that rings somewhere is a call already, and calls are hung up.
 * @param {Running} running
 */
function endOf({ id, call_id: callId, can }) {
  const isCall = callId && !can.includes(Capability.CANCEL);
  return isCall ? `/api/calls/${callId}/hangup` : `/api/dial/${id}/cancel`;
}
