import assert from "node:assert/strict";
import { test } from "node:test";

import { electByLease, electByLock } from "../../widget/src/leader.js";
import { createTabs } from "../../widget/src/tabs.js";
import { FakeBrowser, FakeClock, settled } from "./fakes.js";

/** Tabs of one agent in one browser. Both ways to find a leader must give the same behaviour. */
class World {
  browser = new FakeBrowser();
  clock = new FakeClock();
  tabs = {};

  constructor(way) {
    this.way = way;
  }

  open(name) {
    const { browser, clock } = this;
    const seen = { name, states: [], commands: [], roles: [], isVisible: true };
    const events = new Set();
    const storageEvents = new Set();
    const storage = browser.storage((event) => storageEvents.forEach((listener) => listener(event)));
    const leavers = new Set();
    const alive = electByLock({ locks: browser.locks, name: `tab:${name}`, onLead() {} });
    const listenPage = (type, listener) => {
      const group = type === "storage" ? storageEvents : leavers;
      group.add(listener);
      return () => group.delete(listener);
    };
    const elect = ({ onLead, onLose }) =>
      this.way === "locks"
        ? electByLock({ locks: browser.locks, name: "lead", onLead })
        : electByLease({
            storage,
            channel: browser.channel("lease"),
            name: "lease",
            tab: name,
            clock,
            listen: listenPage,
            onLead,
            onLose,
          });
    const group = createTabs({
      channel: browser.channel("tabs"),
      tab: name,
      elect,
      watch: (other, onGone) => void browser.locks.request(`tab:${other}`, onGone),
      nowMs: clock.nowMs,
      isVisible: () => seen.isVisible,
      listen: (listener) => (events.add(listener), () => events.delete(listener)),
      onRole: (isLeader) => seen.roles.push(isLeader),
      onState: (state) => seen.states.push(state),
      onCommand: (command) => seen.commands.push(command),
      onPainter() {},
    });
    const act = (type = "pointerdown") => events.forEach((listener) => listener({ type }));
    const leave = () => {
      act("pagehide");
      leavers.forEach((listener) => listener({}));
      group.close();
      alive.stop();
    };
    this.tabs[name] = Object.assign(group, { seen, act, leave, crash: () => alive.stop() });
    return this.tabs[name];
  }

  async settle(ms = 1000) {
    await settled();
    await this.clock.move(ms);
    await settled();
  }

  get leaders() {
    return Object.values(this.tabs)
      .filter((tab) => tab.isLeader())
      .map((tab) => tab.seen.name);
  }

  get painters() {
    return Object.values(this.tabs)
      .filter((tab) => tab.isPainter())
      .map((tab) => tab.seen.name);
  }
}

for (const way of ["locks", "lease"]) {
  test(`one of five tabs leads (${way})`, async () => {
    const world = new World(way);

    ["a", "b", "c", "d", "e"].forEach((name) => world.open(name));
    await world.settle();

    assert.equal(world.leaders.length, 1);
  });

  test(`when the leader leaves, another leads within a second (${way})`, async () => {
    const world = new World(way);
    const first = world.open("a");
    await world.settle();
    world.open("b");
    await world.settle();

    first.leave();
    delete world.tabs.a;
    await world.settle(999);

    assert.deepEqual(world.leaders, ["b"]);
  });

  test(`a follower's command reaches the leader once (${way})`, async () => {
    const world = new World(way);
    const leader = world.open("a");
    await world.settle();
    const follower = world.open("b");

    follower.command({ kind: "dial" });
    await world.settle();

    assert.deepEqual(leader.seen.commands, [{ kind: "dial" }]);
    assert.deepEqual(follower.seen.commands, []);
  });
}

test("a leader that crashed loses the lease to the tab that asks in vain", async () => {
  const world = new World("lease");
  world.browser.values.set("lease", "dead");

  world.open("b");
  await world.settle(600);

  assert.deepEqual(world.leaders, ["b"]);
});

test("a leader whose lease another tab has taken steps down", async () => {
  const world = new World("lease");
  const first = world.open("a");
  await world.settle();

  world.browser.storage(() => {}).setItem("lease", "z");

  assert.equal(first.isLeader(), false);
  assert.deepEqual(first.seen.roles, [true, false]);
});

test("a tab that opens later gets the state at once", async () => {
  const world = new World("locks");
  world.open("a");
  await world.settle();
  world.tabs.a.share({ calls: 1 });

  const late = world.open("b");

  assert.deepEqual(late.seen.states, [{ calls: 1 }]);
});

test("a command that no leader took goes to the next one", async () => {
  const world = new World("lease");
  world.browser.values.set("lease", "dead");
  const tab = world.open("b");

  tab.command({ kind: "dial" });
  assert.deepEqual(tab.seen.commands, []);
  await world.settle();

  assert.deepEqual(tab.seen.commands, [{ kind: "dial" }]);
});

test("the picture follows the agent from tab to tab, and only one tab paints", async () => {
  const world = new World("locks");
  const [a, b] = [world.open("a"), world.open("b")];

  for (const tab of [a, b, a]) {
    await world.clock.move(10);
    tab.act();
    assert.deepEqual(world.painters, [tab.seen.name]);
  }
});

test("a hidden tab does not paint while another is visible", async () => {
  const world = new World("locks");
  const [a] = [world.open("a"), world.open("b")];
  await world.clock.move(10);
  a.act();

  a.seen.isVisible = false;
  a.act("visibilitychange");

  assert.deepEqual(world.painters, ["b"]);
});

test("all tabs hidden is known to the leader", async () => {
  const world = new World("locks");
  const [a, b] = [world.open("a"), world.open("b")];

  for (const tab of [a, b]) {
    tab.seen.isVisible = false;
    tab.act("visibilitychange");
  }

  assert.equal(a.isAnyVisible(), false);
});

test("when the painter is closed, another tab paints", async () => {
  const world = new World("locks");
  const [a, b] = [world.open("a"), world.open("b")];
  await world.clock.move(10);
  b.act();

  b.leave();
  delete world.tabs.b;
  await world.settle();

  assert.equal(a.isPainter(), true);
});

test("when the painter dies without a word, the leader notices and another tab paints", async () => {
  const world = new World("locks");
  const [a, b] = [world.open("a"), world.open("b")];
  await world.clock.move(10);
  b.act();
  assert.equal(a.isPainter(), false);

  b.crash();
  await world.settle();

  assert.equal(a.isPainter(), true);
});

test("a tab that is declared dead too early says that it lives", async () => {
  const world = new World("locks");
  const [a, b] = [world.open("a"), world.open("b")];
  await world.clock.move(10);
  b.act();

  world.browser.channel("tabs").postMessage({ kind: "gone", tab: "b" });

  assert.deepEqual(world.painters, ["b"]);
  assert.equal(a.isPainter(), false);
});
