import assert from "node:assert/strict";
import { test } from "node:test";

import { claimable, ringing, visibleAttempt, visibleCards, visibleLine } from "../../widget/src/screen.js";
import { initial } from "../../widget/src/state.js";

const NOW_S = 10_000;
const call = (id, state, more = {}) => ({
  id,
  direction: "in",
  state,
  started_at: NOW_S - 60,
  caller: { kind: "contact" },
  ...more,
});
const withCalls = (...calls) => ({ ...initial(), calls });
const ids = (calls) => calls.map((one) => one.id);
const dial = (state, more = {}) => ({
  id: "d",
  way: "number",
  state,
  phone: "+7",
  started_at: NOW_S - 9,
  changed_at: NOW_S - 2,
  ...more,
});

test("a ringing call stands above a talk, a talk above what is over", () => {
  const state = withCalls(
    call("over", "missed", { ended_at: NOW_S }),
    call("talk", "talking"),
    call("ring", "ringing"),
  );

  assert.deepEqual(ids(visibleCards(state, NOW_S)), ["ring", "talk", "over"]);
});

test("a dismissed card is not shown", () => {
  assert.deepEqual(visibleCards(withCalls(call("a", "ringing", { is_dismissed: true })), NOW_S), []);
});

test("an account that wants amoCRM's notices only gets no cards", () => {
  assert.deepEqual(visibleCards({ ...withCalls(call("a", "ringing")), showCards: false }, NOW_S), []);
});

test("an ended call leaves after two minutes of the server's clock", () => {
  const state = { ...withCalls(call("a", "ended", { ended_at: NOW_S })), aheadS: 0 };

  assert.deepEqual(ids(visibleCards(state, NOW_S + 119)), ["a"]);
  assert.deepEqual(visibleCards(state, NOW_S + 121), []);
  assert.deepEqual(visibleCards({ ...state, aheadS: 10 }, NOW_S + 112), []);
});

test("a colleague's answer is news for a few seconds", () => {
  const state = withCalls(call("a", "elsewhere", { ended_at: NOW_S }));

  assert.deepEqual(ids(visibleCards(state, NOW_S + 7)), ["a"]);
  assert.deepEqual(visibleCards(state, NOW_S + 9), []);
});

test("while the state line tells the way, the call's card waits", () => {
  const state = {
    ...withCalls(call("a", "ringing", { direction: "out" })),
    dial: dial("client_ringing", { call_id: "a" }),
  };

  assert.deepEqual(visibleCards(state, NOW_S), []);
  assert.equal(visibleLine(state, NOW_S).id, "d");
});

test("from the talk on the card takes over from the state line", () => {
  const state = { ...withCalls(call("a", "talking", { direction: "out" })), dial: dial("talking", { call_id: "a" }) };

  assert.deepEqual(ids(visibleCards(state, NOW_S)), ["a"]);
  assert.equal(visibleLine(state, NOW_S), null);
});

test("a talk without a card stays on the state line", () => {
  assert.equal(visibleLine({ ...initial(), dial: dial("talking", { call_id: "a" }) }, NOW_S).id, "d");
});

test("an error stays on the line longer than a good end", () => {
  const [good, bad] = [dial("ended"), dial("failed", { problem: { slug: "vendor-number" } })];

  assert.equal(visibleLine({ ...initial(), dial: good }, NOW_S + 30), null);
  assert.notEqual(visibleLine({ ...initial(), dial: bad }, NOW_S + 30), null);
});

test("a closed line does not come back", () => {
  assert.equal(visibleLine({ ...initial(), dial: dial("failed"), closedDial: "d" }, NOW_S), null);
});

test("only an incoming call that nobody silenced rings", () => {
  const state = withCalls(
    call("a", "ringing"),
    call("b", "ringing", { is_dismissed: true }),
    call("c", "talking"),
    call("d", "ringing", { direction: "out" }),
  );

  assert.deepEqual(ids(ringing(state)), ["a"]);
});

test("the leg of a call-back that rings at the agent makes no sound", () => {
  const state = { ...withCalls(call("a", "ringing")), dial: dial("agent_ringing", { call_id: "a" }) };

  assert.deepEqual(ringing(state), []);
});

test("a notice waits for the caller's name, but not for ever", () => {
  const searching = { kind: "searching", phone: "+7" };

  assert.deepEqual(claimable(withCalls(call("a", "ringing", { caller: searching }))), []);
  assert.deepEqual(ids(claimable(withCalls(call("a", "missed", { caller: searching })))), ["a"]);
});

test("calls out and calls already noticed are not claimed", () => {
  assert.deepEqual(
    claimable(withCalls(call("a", "ringing", { is_noticed: true }), call("b", "talking", { direction: "out" }))),
    [],
  );
});

test("a refused click leaves the line after two minutes, an unanswered one stays", () => {
  const [open, refused] = [
    { problem: null, atS: NOW_S },
    { problem: { slug: "no-line" }, atS: NOW_S },
  ];

  assert.equal(visibleAttempt({ attempt: refused }, NOW_S + 119), refused);
  assert.equal(visibleAttempt({ attempt: refused }, NOW_S + 121), null);
  assert.equal(visibleAttempt({ attempt: open }, NOW_S + 121), open);
});
