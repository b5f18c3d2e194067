/** What of the state is to be seen, heard or claimed at a given moment. Pure: it decides, the views draw. */

import { isLive } from "./state.js";
import { CallerKind, CardState, DialState, Direction, RECENT_S } from "./vocabulary.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./vocabulary.js").CallView} CallView */
/** @typedef {import("./vocabulary.js").DialView} DialView */

/** A colleague's answer is news for a glance. */
const ELSEWHERE_S = 8;

/** The end of a call that has no card of its own: long enough to read how long it took. */
const LINE_ENDED_S = 15;

const ORDER = [
  CardState.RINGING,
  CardState.TALKING,
  CardState.HELD,
  CardState.MISSED,
  CardState.ENDED,
  CardState.ELSEWHERE,
];

/** @type {string[]} */
const OVER = [DialState.ENDED, DialState.FAILED];

/**
 * The cards to show, the most urgent first.
 * @param {State} state
 * @param {number} nowS this machine's clock
 * @returns {CallView[]}
 */
export function visibleCards(state, nowS) {
  if (!state.showCards) return [];
  const serverS = nowS + state.aheadS;
  const lined = linedCall(state, nowS);
  return state.calls
    .filter((call) => !call.is_dismissed && call.id !== lined && serverS < leavesAtS(call))
    .sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state) || other.started_at - one.started_at);
}

/**
 * The state line to show: it tells the way from the click to the talk; then the call's own card takes over.
 * @param {State} state
 * @param {number} nowS
 * @returns {DialView | null}
 */
export function visibleLine(state, nowS) {
  const { dial } = state;
  if (!dial || dial.id === state.closedDial) return null;
  const ageS = nowS + state.aheadS - dial.changed_at;
  if (OVER.includes(dial.state) && ageS > (dial.problem ? RECENT_S : LINE_ENDED_S)) return null;
  const isPastTalk = dial.state === DialState.TALKING || dial.state === DialState.ENDED;
  const hasCard = state.showCards && state.calls.some((call) => call.id === dial.call_id);
  return isPastTalk && hasCard ? null : dial;
}

/**
 * The click to show: until its answer is there; a refused one for as long as an ended call.
 * @param {State} state
 * @param {number} nowS
 */
export function visibleAttempt({ attempt }, nowS) {
  return attempt && (!attempt.problem || nowS - attempt.atS < RECENT_S) ? attempt : null;
}

/**
 * Incoming calls that ring at this agent and that nobody silenced.
 * @param {State} state
 */
export function ringing(state) {
  const own = state.dial ? state.dial.call_id : "";
  return state.calls.filter(
    (call) =>
      call.state === CardState.RINGING && call.direction !== Direction.OUT && !call.is_dismissed && call.id !== own,
  );
}

/**
 * Calls whose notice in amoCRM's centre is still to be claimed. A caller who is being looked up is waited for, so that
 * the notice carries the name.
 * @param {State} state
 */
export function claimable(state) {
  const own = state.dial ? state.dial.call_id : "";
  return state.calls.filter(
    (call) =>
      !call.is_noticed &&
      call.id !== own &&
      (call.direction === Direction.IN || call.direction === Direction.INTERNAL) &&
      (call.caller.kind !== CallerKind.SEARCHING || !isLive(call)),
  );
}

/**
 * @param {State} state
 * @param {number} nowS
 */
function linedCall(state, nowS) {
  const line = visibleLine(state, nowS);
  return line ? line.call_id : undefined;
}

/** @param {CallView} call */
function leavesAtS(call) {
  if (isLive(call)) return Infinity;
  const endedAt = call.ended_at || call.answered_at || call.started_at;
  return endedAt + (call.state === CardState.ELSEWHERE ? ELSEWHERE_S : RECENT_S);
}
