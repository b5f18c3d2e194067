import assert from "node:assert/strict";
import { test } from "node:test";

import { HANDLED, Local, follows, initial, reduce } from "../../widget/src/state.js";
import { ServerWord } from "../../widget/src/vocabulary.js";

const NOW_S = 1000;
const call = (id, more = {}) => ({
  id,
  direction: "in",
  state: "ringing",
  started_at: NOW_S,
  caller: { kind: "unknown", phone: "+79120000000" },
  ...more,
});
const snapshot = (more = {}) => ({
  type: "snapshot",
  rev: "e.1",
  digest: "d",
  now: NOW_S + 30,
  agent: { id: 1, name: "A" },
  ...more,
});
const after = (...messages) => messages.reduce((state, message) => reduce(state, message, NOW_S), initial());
const request = { key: "k1", phone: "+79120000000" };

test("every word of the server is handled by the state or by the link", () => {
  const links = [ServerWord.PING, ServerWord.BEARER, ServerWord.BYE];

  const handled = new Set([...HANDLED, ...links]);

  assert.deepEqual(
    Object.values(ServerWord).filter((word) => !handled.has(word)),
    [],
  );
});

test("a word of a newer server changes nothing", () => {
  const before = after(snapshot({ calls: [call("a")] }));

  assert.equal(reduce(before, { type: "weather" }, NOW_S), before);
});

test("a snapshot replaces what the server said before", () => {
  const state = after(snapshot({ calls: [call("a")], dial: { id: "d1" } }), snapshot({ calls: [call("b")] }));

  assert.deepEqual(
    state.calls.map((one) => one.id),
    ["b"],
  );
  assert.equal(state.dial, null);
});

test("a snapshot keeps what the agent did here", () => {
  const state = after(
    snapshot({ calls: [call("a")] }),
    { type: Local.FOLDED, call_id: "a", on: true },
    snapshot({ calls: [call("a")] }),
  );

  assert.deepEqual(state.folded, { a: true });
});

test("a card that is gone is not remembered as folded", () => {
  const state = after(snapshot({ calls: [call("a")] }), { type: Local.FOLDED, call_id: "a", on: true }, snapshot());

  assert.deepEqual(state.folded, {});
});

test("the snapshot tells how far the server's clock is ahead", () => {
  assert.equal(after(snapshot()).aheadS, 30);
});

test("a call takes its own place, and a new one the last", () => {
  const state = after(
    snapshot({ calls: [call("a"), call("b")] }),
    { type: "call", call: call("a", { state: "talking" }) },
    { type: "call", call: call("c") },
  );

  assert.deepEqual(
    state.calls.map((one) => [one.id, one.state]),
    [
      ["a", "talking"],
      ["b", "ringing"],
      ["c", "ringing"],
    ],
  );
});

test("a granted or a foreign claim marks the call as noticed", () => {
  const state = after(snapshot({ calls: [call("a")] }), { type: "noticed", call_id: "a", is_yours: false });

  assert.equal(state.calls[0].is_noticed, true);
});

test("a dismissed card stays dismissed until the server says otherwise", () => {
  const state = after(snapshot({ calls: [call("a")] }), { type: Local.DISMISSED, call_id: "a" });

  assert.equal(state.calls[0].is_dismissed, true);
});

test("a closed CRM stays until it opens, and takes its own alert along", () => {
  const dead = { slug: "crm-token-dead" };
  const closed = after(snapshot({ is_crm_closed: true, alerts: [{ slug: "one" }, dead] }));
  const told = after(snapshot(), { type: "crm", rev: "e.2", is_closed: true }, { type: "alert", rev: "e.3", alert: dead });

  const open = reduce(closed, { type: "crm", rev: "e.2" }, NOW_S);

  assert.deepEqual([closed.isCrmClosed, told.isCrmClosed, open.isCrmClosed], [true, true, false]);
  assert.deepEqual(told.alerts, [dead]);
  assert.deepEqual(open.alerts, [{ slug: "one" }]);
});

test("alerts are added, the progress of the phone book is replaced", () => {
  const state = after(
    snapshot({ alerts: [{ slug: "one" }] }),
    { type: "alert", alert: { slug: "two" } },
    { type: "directory", directory: { is_complete: true } },
  );

  assert.deepEqual(
    state.alerts.map((alert) => alert.slug),
    ["one", "two"],
  );
  assert.equal(state.directory.is_complete, true);
});

test("a click waits for its answer", () => {
  assert.deepEqual(after({ type: Local.CLICKED, request }).attempt, { request, problem: null, atS: NOW_S });
});

test("the answer to a click does not overwrite what the socket said sooner", () => {
  const state = after(
    { type: Local.CLICKED, request },
    { type: "dial", dial: { id: "d1", state: "agent_ringing" } },
    { type: Local.ACCEPTED, key: "k1", dial: { id: "d1", state: "accepted" } },
  );

  assert.equal(state.dial.state, "agent_ringing");
  assert.equal(state.attempt, null);
});

test("a refused click shows its problem", () => {
  const state = after(
    { type: Local.CLICKED, request },
    { type: Local.REFUSED, key: "k1", problem: { slug: "no-line" } },
  );

  assert.equal(state.attempt.problem.slug, "no-line");
});

test("the refusal of an older click leaves the newer one alone", () => {
  const state = after(
    { type: Local.CLICKED, request },
    { type: Local.REFUSED, key: "k0", problem: { slug: "no-line" } },
  );

  assert.equal(state.attempt.problem, null);
});

test("closing takes away what lies on top, one thing at a time", () => {
  const refused = [
    { type: "dial", dial: { id: "d1" } },
    { type: Local.CLICKED, request },
    { type: Local.TROUBLED, problem: { slug: "call-gone" } },
  ];
  const close = { type: Local.CLOSED };

  assert.equal(after(...refused, close).trouble, null);
  assert.notEqual(after(...refused, close).attempt, null);
  assert.equal(after(...refused, close, close).attempt, null);
  assert.equal(after(...refused, close, close, close).closedDial, "d1");
});

test("the moment of the loss is kept while the connection is being made again", () => {
  const lost = after({ type: Local.CONNECTION, connection: "offline" });

  const later = reduce(lost, { type: Local.CONNECTION, connection: "connecting" }, NOW_S + 9);

  assert.equal(later.lostAtS, NOW_S);
  assert.equal(reduce(later, { type: Local.CONNECTION, connection: "online" }, NOW_S + 10).lostAtS, 0);
});

test("only the next number of the same epoch follows", () => {
  assert.equal(follows("e1.9", "e1.10"), true);
  assert.equal(follows("e1.9", "e1.11"), false);
  assert.equal(follows("e1.9", "e1.9"), false);
  assert.equal(follows("e1.9", "e2.10"), false);
});
