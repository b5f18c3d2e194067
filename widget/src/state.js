/**
 * What the agent's screens know: a pure reducer over the server's messages and this browser's own clicks.
 *
 * A snapshot replaces all that the server said; what the agent did in this browser (folded cards, a closed state line)
 * survives it. No I/O, no clock: times come in as values.
 */

import { CardState, DialWay, ServerWord } from "./vocabulary.js";

/** @typedef {import("./vocabulary.js").CallView} CallView */
/** @typedef {import("./vocabulary.js").Problem} Problem */

/**
 * A click on a number that the server has not answered yet, or has refused.
 * @typedef {{key: string, phone: string, way: DialWay, at: number, problem: Problem | null}} Attempt
 */

/**
 * @typedef {object} State
 * @property {"connecting" | "online" | "offline" | "stopped"} connection
 * @property {Problem | null} problem why there is no connection
 * @property {import("./vocabulary.js").AgentView | null} agent
 * @property {import("./vocabulary.js").LineView[]} lines
 * @property {CallView[]} calls
 * @property {import("./vocabulary.js").DialView | null} dial
 * @property {Attempt | null} attempt
 * @property {string} closedDial id of the state line that the agent closed
 * @property {string[]} folded ids of the cards that the agent made small
 * @property {import("./vocabulary.js").DirectoryView | null} directory
 * @property {import("./vocabulary.js").AlertView[]} alerts
 * @property {boolean} showCards
 * @property {boolean} emailAction
 * @property {number} aheadS the server's clock minus ours
 */

/** What happens in the browser itself. */
export const Local = Object.freeze({
  CONNECTION: "local.connection",
  CLICKED: "local.clicked",
  REFUSED: "local.refused",
  CLOSED: "local.closed",
  FOLDED: "local.folded",
  DISMISSED: "local.dismissed",
});

/** @returns {State} */
export function initial() {
  return {
    connection: "connecting",
    problem: null,
    agent: null,
    lines: [],
    calls: [],
    dial: null,
    attempt: null,
    closedDial: "",
    folded: [],
    directory: null,
    alerts: [],
    showCards: true,
    emailAction: false,
    aheadS: 0,
  };
}

/** @type {Record<string, (state: State, message: any, nowS: number) => Partial<State>>} */
const STEPS = {
  [ServerWord.SNAPSHOT]: (state, message, nowS) => ({
    agent: message.agent,
    lines: message.lines || [],
    calls: message.calls || [],
    dial: message.dial || null,
    directory: message.directory || null,
    alerts: message.alerts || [],
    showCards: message.show_cards !== false,
    emailAction: message.email_action === true,
    aheadS: message.now - nowS,
    folded: state.folded.filter((id) => (message.calls || []).some((/** @type {CallView} */ call) => call.id === id)),
  }),
  [ServerWord.CALL]: (state, { call }) => ({ calls: placed(state.calls, call) }),
  [ServerWord.DIAL]: (state, { dial }) => ({ dial, attempt: state.attempt && state.attempt.problem ? state.attempt : null }),
  [ServerWord.NOTICED]: (state, message) => ({ calls: marked(state.calls, message.call_id, { is_noticed: true }) }),
  [ServerWord.DIRECTORY]: (state, { directory }) => ({ directory }),
  [ServerWord.ALERT]: (state, { alert }) => ({ alerts: [...state.alerts, alert] }),

  [Local.CONNECTION]: (state, { connection, problem }) => ({ connection, problem: problem || null }),
  [Local.CLICKED]: (state, { request }, nowS) => ({
    attempt: { key: request.key, phone: request.phone, way: request.way || DialWay.NUMBER, at: nowS, problem: null },
  }),
  [Local.REFUSED]: (state, { key, problem }) =>
    state.attempt && state.attempt.key === key ? { attempt: { ...state.attempt, problem } } : {},
  [Local.CLOSED]: (state) =>
    state.attempt ? { attempt: null } : { closedDial: state.dial ? state.dial.id : state.closedDial },
  [Local.FOLDED]: (state, { call_id: id, on }) => ({
    folded: on ? [...state.folded.filter((one) => one !== id), id] : state.folded.filter((one) => one !== id),
  }),
  [Local.DISMISSED]: (state, message) => ({ calls: marked(state.calls, message.call_id, { is_dismissed: true }) }),
};

/** The types that change the state; the link keeps the others (heartbeat, bearer, farewell) to itself. */
export const HANDLED = Object.freeze(Object.keys(STEPS));

/**
 * The state after a message; a type from a newer server changes nothing.
 * @param {State} state
 * @param {{type: string}} message
 * @param {number} nowS Unix seconds of this machine
 * @returns {State}
 */
export function reduce(state, message, nowS) {
  const step = STEPS[message.type];
  return step ? { ...state, ...step(state, message, nowS) } : state;
}

/**
 * Whether `next` comes directly after `last`: the same epoch, the next number.
 * @param {string} last
 * @param {string} next
 */
export function follows(last, next) {
  const [lastEpoch, lastNumber] = last.split(".");
  const [nextEpoch, nextNumber] = next.split(".");
  return lastEpoch === nextEpoch && Number(nextNumber) === Number(lastNumber) + 1;
}

/** @param {CallView} call */
export function isLive(call) {
  return call.state === CardState.RINGING || call.state === CardState.TALKING || call.state === CardState.HELD;
}

/**
 * @param {CallView[]} calls
 * @param {CallView} call
 */
function placed(calls, call) {
  const index = calls.findIndex((one) => one.id === call.id);
  return index < 0 ? [...calls, call] : calls.map((one, at) => (at === index ? call : one));
}

/**
 * @param {CallView[]} calls
 * @param {string} id
 * @param {Partial<CallView>} marks
 */
function marked(calls, id, marks) {
  return calls.map((call) => (call.id === id ? { ...call, ...marks } : call));
}
