import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Refusal } from "../../widget/src/api.js";
import { createDialer } from "../../widget/src/dialer.js";
import { initial, reduce } from "../../widget/src/state.js";

const request = { key: "k1", phone: "+79120000000" };

let state, posted, problems, dialer, api;

beforeEach(() => {
  [state, posted, problems] = [initial(), [], {}];
  api = {
    request: async (method, path, body) => {
      posted.push([path, body]);
      if (problems[path]) throw new Refusal(problems[path]);
      return { dial: { id: "d1", state: "accepted", phone: request.phone } };
    },
  };
  dialer = createDialer({
    getApi: () => api,
    apply: (message) => (state = reduce(state, message, 1)),
    getState: () => state,
  });
});

test("a click is shown before the server has answered", () => {
  dialer.dial({ request, replaces: null });

  assert.equal(state.attempt.request.key, "k1");
});

test("an accepted order becomes the state line", async () => {
  await dialer.dial({ request, replaces: null });

  assert.equal(state.dial.id, "d1");
  assert.equal(state.attempt, null);
});

test("a refused order shows its problem on the line", async () => {
  problems["/api/dial"] = { slug: "no-extension" };

  await dialer.dial({ request, replaces: null });

  assert.equal(state.attempt.problem.slug, "no-extension");
});

test("another way withdraws the running order first", async () => {
  await dialer.dial({ request, replaces: { id: "d0", call_id: "", can: ["cancel"] } });

  assert.deepEqual(
    posted.map(([path]) => path),
    ["/api/dial/d0/cancel", "/api/dial"],
  );
});

test("another way hangs up what rings already", async () => {
  await dialer.dial({ request, replaces: { id: "d0", call_id: "c0", can: ["hangup"] } });

  assert.deepEqual(
    posted.map(([path]) => path),
    ["/api/calls/c0/hangup", "/api/dial"],
  );
});

test("an order that cannot be withdrawn any more does not stop the new one", async () => {
  problems["/api/dial/d0/cancel"] = { slug: "call-gone" };

  await dialer.dial({ request, replaces: { id: "d0", call_id: "", can: ["cancel"] } });

  assert.equal(state.dial.id, "d1");
});

test("a new leader repeats a click whose answer its forerunner did not live to see, with the same key", async () => {
  state = { ...state, attempt: { request, problem: null } };

  dialer.resume();
  await Promise.resolve();

  assert.deepEqual(posted, [["/api/dial", request]]);
});

test("a new leader does not repeat a refused click", () => {
  state = { ...state, attempt: { request, problem: { slug: "no-line" } } };

  dialer.resume();

  assert.deepEqual(posted, []);
});

test("a hang-up that fails is told beside the card", async () => {
  problems["/api/calls/c1/hangup"] = { slug: "call-gone" };

  await dialer.hangUp({ call_id: "c1" });

  assert.equal(state.trouble.slug, "call-gone");
});

test("without a backend every click says what is missing", async () => {
  api = null;

  await dialer.dial({ request, replaces: null });

  assert.equal(state.attempt.problem.slug, "not-configured");
});
