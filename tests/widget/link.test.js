import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Refusal } from "../../widget/src/api.js";
import { createLink } from "../../widget/src/link.js";
import { FakeClock, FakeSocket, settled } from "./fakes.js";

const SNAPSHOT = { type: "snapshot", rev: "e1.1", digest: "one", now: 1, agent: { id: 1, name: "A" } };

let clock, sockets, messages, connections, link, answers, isHalfSpent, isUrgent, polls;

/** Requests are answered by `polls`, tickets by `answers`: what is not there is a good ticket. */
const api = {
  ticket: async () => {
    const next = answers.shift();
    if (next) throw new Refusal(next);
    return { ticket: `t${sockets.length + 1}`, bearer: "b", expires_at: 1, protocol: 1 };
  },
  request: (method, path) => new Promise((resolve, reject) => polls.push({ method, path, resolve, reject })),
  keep: (message) => void (api.kept = message.bearer),
  isHalfSpent: () => isHalfSpent,
};

beforeEach(async () => {
  clock = new FakeClock();
  [sockets, messages, connections, answers, polls] = [[], [], [], [], []];
  [isHalfSpent, isUrgent] = [false, false];
  link = createLink({
    api,
    url: "https://calls.example",
    clock,
    random: () => 1,
    open: (url, protocols) => (sockets.push(new FakeSocket(url, protocols)), sockets.at(-1)),
    onMessage: (message) => messages.push(message),
    onConnection: (word, problem) => connections.push(problem ? `${word}:${problem.slug}` : word),
    isUrgent: () => isUrgent,
  });
});

const connect = async () => {
  link.connect();
  await settled();
};
const online = async () => {
  await connect();
  sockets.at(-1).hear(SNAPSHOT);
};

test("the ticket travels in the subprotocol, never in the address", async () => {
  await connect();

  assert.equal(sockets[0].url, "wss://calls.example/api/socket");
  assert.deepEqual(sockets[0].protocols, ["kommutator.1", "ticket.t1"]);
});

test("the first snapshot makes it online", async () => {
  await online();

  assert.deepEqual(connections, ["connecting", "online"]);
  assert.deepEqual(messages, [SNAPSHOT]);
});

test("a ping is answered in the message handler", async () => {
  await online();

  sockets[0].hear({ type: "ping" });

  assert.deepEqual(sockets[0].sent, [{ type: "pong" }]);
  assert.equal(messages.length, 1);
});

test("half a bearer's life over, a ping asks for a fresh one", async () => {
  await online();
  isHalfSpent = true;

  sockets[0].hear({ type: "ping" });
  sockets[0].hear({ type: "bearer", bearer: "b2", expires_at: 9 });

  assert.deepEqual(
    sockets[0].sent.map((one) => one.type),
    ["pong", "renew"],
  );
  assert.equal(api.kept, "b2");
});

test("a gap in the numbers brings a new connection, and the message is not taken", async () => {
  await online();

  sockets[0].hear({ type: "call", rev: "e1.3", call: { id: "a" } });
  await clock.move(1000);

  assert.equal(messages.length, 1);
  assert.equal(sockets[0].isClosed, true);
  assert.equal(sockets.length, 2);
});

test("the next number is taken", async () => {
  await online();

  sockets[0].hear({ type: "call", rev: "e1.2", call: { id: "a" } });

  assert.equal(messages.at(-1).call.id, "a");
});

test("a lost connection is made again after a jittered wait", async () => {
  await online();

  sockets[0].die();
  assert.deepEqual(clock.waits, [1000]);
  await clock.move(1000);
  sockets[1].hear(SNAPSHOT);

  assert.deepEqual(connections, ["connecting", "online", "offline", "connecting", "online"]);
});

test("while a call is live the wait stays short, however often it fails", async () => {
  isUrgent = true;
  answers = Array(6).fill({ slug: "unreachable", temporary: true });

  await connect();
  for (let turn = 0; turn < 5; turn++) await clock.move(clock.waits[0]);

  assert.deepEqual(clock.waits, [1500]);
});

test("a farewell for a while waits as long as the server asks", async () => {
  await online();

  sockets[0].hear({ type: "bye", kind: "temporary", after_s: 5 });
  sockets[0].die(1012);

  assert.deepEqual(clock.waits, [6000]);
});

test("a farewell for ever shows its problem and stays away", async () => {
  await online();

  sockets[0].hear({ type: "bye", kind: "terminal", problem: { slug: "account-unknown" } });
  sockets[0].die(4003);
  await clock.move(600_000);
  link.hurry();
  await settled();

  assert.equal(connections.at(-1), "stopped:account-unknown");
  assert.equal(sockets.length, 1);
});

test("a refusal that waiting does not heal stops it; later work asks once more", async () => {
  answers = [{ slug: "token-invalid" }];
  await connect();
  link.hurry();
  await settled();
  assert.equal(sockets.length, 0);

  await clock.move(61_000);
  link.hurry();
  await settled();

  assert.equal(sockets.length, 1);
});

test("three missed pings are a dead socket", async () => {
  await online();

  await clock.move(90_000);

  assert.equal(sockets[0].isClosed, true);
  assert.equal(connections.at(-1), "offline");
});

test("a handshake that hangs is given up", async () => {
  await connect();

  await clock.move(10_000);

  assert.equal(sockets[0].isClosed, true);
});

test("a frame that is no JSON is skipped", async () => {
  await online();

  sockets[0].onmessage({ data: "<html>" });

  assert.equal(connections.at(-1), "online");
});

test("what is said while offline is said after the next snapshot", async () => {
  await online();
  sockets[0].die();

  link.send({ type: "dismiss", call_id: "a" });
  await clock.move(1000);
  sockets[1].hear(SNAPSHOT);

  assert.deepEqual(sockets[1].sent, [{ type: "dismiss", call_id: "a" }]);
});

test("the network's return ends the waiting", async () => {
  await online();
  sockets[0].die();

  link.hurry();
  await settled();

  assert.equal(sockets.length, 2);
});

test("closing ends everything", async () => {
  await online();

  link.close();
  await clock.move(600_000);

  assert.equal(sockets[0].isClosed, true);
  assert.equal(sockets.length, 1);
});

const blocked = async () => {
  await connect();
  for (let turn = 0; turn < 3; turn++) {
    sockets.at(-1).die();
    await clock.move(clock.waits[0] ?? 0);
  }
};

test("three sockets that die unheard mean the long poll", async () => {
  await blocked();

  assert.equal(polls[0].path, "/api/poll?digest=");
  polls[0].resolve(SNAPSHOT);
  await settled();

  assert.equal(connections.at(-1), "online");
  assert.equal(polls[1].path, "/api/poll?digest=one");
});

test("a poll that brings nothing new changes nothing", async () => {
  await blocked();
  polls[0].resolve(SNAPSHOT);
  await settled();

  polls[1].resolve({ ...SNAPSHOT, rev: "e2.1" });
  await settled();

  assert.equal(messages.length, 1);
});

test("in the long poll a claim is a request, and its answer a message", async () => {
  await blocked();
  polls[0].resolve(SNAPSHOT);
  await settled();

  link.send({ type: "notice", call_id: "a" });
  polls.at(-1).resolve({ call_id: "a", is_yours: true });
  await settled();

  assert.equal(polls.at(-1).path, "/api/calls/a/notice");
  assert.deepEqual(messages.at(-1), { type: "noticed", call_id: "a", is_yours: true });
});

test("a poll that fails is asked again after a wait", async () => {
  await blocked();

  polls[0].reject(new Refusal({ slug: "unreachable", temporary: true }));
  await settled();
  await clock.move(clock.waits[0]);

  assert.equal(polls.length, 2);
});

test("after some minutes of polling the socket gets another chance", async () => {
  await blocked();
  const tried = sockets.length;

  await clock.move(181_000);
  polls[0].resolve(SNAPSHOT);
  await settled();

  assert.equal(sockets.length, tried + 1);
});
