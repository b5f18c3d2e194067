/**
 * What the agent's screens know: a pure reducer over the server's messages and this browser's own clicks.
 *
 * A snapshot replaces all that the server said; what the agent did in this browser (folded cards, a closed state line)
 * survives it. No I/O, no clock: times come in as values.
 */

import { CardState, ServerWord } from "./vocabulary.js";

/** @typedef {import("./vocabulary.js").CallView} CallView */
/** @typedef {import("./vocabulary.js").Problem} Problem */

/**
 * A click on a number that the server has not answered yet, or has refused.
 * @typedef {{request: import("./vocabulary.js").DialRequest, problem: Problem | null, atS: number}} Attempt
 */

/**
 * @typedef {object} State
 * @property {"connecting" | "online" | "offline" | "stopped"} connection
 * @property {number} lostAtS since when it is not online; 0 while it is
 * @property {import("./vocabulary.js").AgentView | null} agent
 * @property {import("./vocabulary.js").LineView[]} lines
 * @property {CallView[]} calls
 * @property {import("./vocabulary.js").DialView | null} dial
 * @property {Attempt | null} attempt
 * @property {Problem | null} trouble a hang-up or a withdrawal that did not work
 * @property {string} closedDial id of the state line that the agent closed
 * @property {Record<string, boolean>} folded the cards that the agent made small (true) or large, by id
 * @property {import("./vocabulary.js").DirectoryView | null} directory
 * @property {import("./vocabulary.js").AlertView[]} alerts
 * @property {boolean} isCrmClosed amoCRM does not take the server's authorisation: calls are kept, not written
 * @property {boolean} showCards
 * @property {boolean} emailAction
 * @property {boolean} isLeaderMute whether the browser keeps the leading tab silent
 * @property {number} aheadS the server's clock minus ours
 */

/** What happens in the browser itself. */
export const Local = /* @__PURE__ */ Object.freeze({
  CONNECTION: "local.connection",
  CLICKED: "local.clicked",
  ACCEPTED: "local.accepted",
  REFUSED: "local.refused",
  TROUBLED: "local.troubled",
  CLOSED: "local.closed",
  FOLDED: "local.folded",
  DISMISSED: "local.dismissed",
});

/** @returns {State} */
export function initial() {
  return {
    connection: "connecting",
    lostAtS: 0,
    agent: null,
    lines: [],
    calls: [],
    dial: null,
    attempt: null,
    trouble: null,
    closedDial: "",
    folded: {},
    directory: null,
    alerts: [],
    isCrmClosed: false,
    showCards: true,
    emailAction: false,
    isLeaderMute: false,
    aheadS: 0,
  };
}

/** @type {Record<string, (state: State, message: any, nowS: number) => any>} */
const STEPS = {
  [ServerWord.SNAPSHOT]: (state, message, nowS) => ({
    agent: message.agent,
    lines: message.lines || [],
    calls: message.calls || [],
    dial: message.dial || null,
    directory: message.directory || null,
    alerts: message.alerts || [],
    isCrmClosed: message.is_crm_closed === true,
    showCards: message.show_cards !== false,
    emailAction: message.email_action === true,
    aheadS: message.now - nowS,
    folded: kept(state.folded, message.calls || []),
  }),
  [ServerWord.CALL]: (state, { call }) => ({ calls: placed(state.calls, call) }),
  [ServerWord.DIAL]: (state, { dial }) => ({ dial }),
  [ServerWord.NOTICED]: (state, message) => ({ calls: marked(state.calls, message.call_id, { is_noticed: true }) }),
  [ServerWord.DIRECTORY]: (state, { directory }) => ({ directory }),
  [ServerWord.ALERT]: (state, { alert }) => ({ alerts: [...state.alerts, alert] }),
  [ServerWord.CRM]: (state, { is_closed: isCrmClosed = false }) => ({
    isCrmClosed,
    alerts: state.alerts.filter(({ slug }) => isCrmClosed || slug !== "crm-token-dead"),
  }),

  [Local.CONNECTION]: (state, { connection }, nowS) => ({
    connection,
    lostAtS: connection === "online" ? 0 : state.lostAtS || nowS,
  }),
  [Local.CLICKED]: (state, { request }, nowS) => ({ attempt: { request, problem: null, atS: nowS }, trouble: null }),
  // The socket is often quicker than the answer to the click, and then it knows more.
  [Local.ACCEPTED]: (state, { key, dial }) => ({
    dial: state.dial && state.dial.id === dial.id ? state.dial : dial,
    attempt: isTried(state, key) ? null : state.attempt,
  }),
  [Local.REFUSED]: (state, { key, problem }) => (isTried(state, key) ? { attempt: { ...state.attempt, problem } } : {}),
  [Local.TROUBLED]: (state, { problem }) => ({ trouble: problem }),
  [Local.CLOSED]: closed,
  [Local.FOLDED]: (state, { call_id: id, on }) => ({ folded: { ...state.folded, [id]: on } }),
  [Local.DISMISSED]: (state, message) => ({ calls: marked(state.calls, message.call_id, { is_dismissed: true }) }),
};

/** The types that change the state; the link keeps the others (heartbeat, bearer, farewell) to itself. */
export const HANDLED = /* @__PURE__ */ Object.keys(STEPS);

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
 * @param {State} state
 * @param {string} key
 */
function isTried({ attempt }, key) {
  return Boolean(attempt && attempt.request.key === key);
}

/**
 * What lies on top goes first: the trouble, the refused click, the state line.
 * @param {State} state
 * @returns {Partial<State>}
 */
function closed({ trouble, attempt, dial, closedDial }) {
  if (trouble) return { trouble: null };
  return attempt ? { attempt: null } : { closedDial: dial ? dial.id : closedDial };
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
 * @param {Record<string, boolean>} folded
 * @param {CallView[]} calls
 */
function kept(folded, calls) {
  return Object.fromEntries(calls.filter(({ id }) => id in folded).map(({ id }) => [id, folded[id]]));
}

/**
 * @param {CallView[]} calls
 * @param {string} id
 * @param {Partial<CallView>} marks
 */
function marked(calls, id, marks) {
  return calls.map((call) => (call.id === id ? { ...call, ...marks } : call));
}
