import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { createHost, elementOf } from "../../widget/src/host.js";

const hostOf = (widget = {}, app = undefined) => {
  globalThis.window = { APP: app, location: { assign: (path) => (globalThis.window.assigned = path) } };
  return createHost(widget, () => ({ on() {}, off() {} }));
};

afterEach(() => {
  delete globalThis.window;
});

test("a page without anything of amoCRM's breaks nothing", async () => {
  const host = hostOf();

  host.addAction("phone", () => {});
  host.addCall({ text: "a" });
  host.setCalling(true);

  assert.deepEqual([host.account(), host.user(), host.backendUrl(), host.lang()], ["", "", "", "en"]);
  assert.deepEqual(await host.authorized("https://calls.example"), { status: 0, body: null });
  assert.equal(await host.render("notice", {}), "");
});

test("an error that cannot be shown says so", () => {
  let isLost = false;

  hostOf().addError({ header: "a", text: "b" }, { fail: () => (isLost = true) });

  assert.equal(isLost, true);
});

test("without amoCRM's router a link is followed by the browser", () => {
  const host = hostOf();

  host.navigate("/contacts/detail/1");

  assert.equal(globalThis.window.assigned, "/contacts/detail/1");
});

test("with amoCRM's router the page is not reloaded", () => {
  const moves = [];
  const host = hostOf({}, { router: { navigate: (...move) => moves.push(move) } });

  host.navigate("/contacts/detail/1");

  assert.deepEqual(moves, [["/contacts/detail/1", { trigger: true }]]);
});

test("the users field is read as an object and as its JSON text", () => {
  const read = (extensions) => hostOf({ get_settings: () => ({ extensions }) }).extensions();

  assert.deepEqual(read({ 11: "201" }), { 11: "201" });
  assert.deepEqual(read('{"11": "201"}'), { 11: "201" });
  assert.deepEqual(read("{broken"), {});
  assert.deepEqual(read(undefined), {});
});

test("a click on a number hands over what was typed, and survives an empty event", () => {
  const heard = [];
  let action;
  const host = hostOf({ add_action: (type, given) => (action = given) });
  host.addAction("phone", (value) => heard.push(value));

  action({ value: " +7 912 " });
  action(undefined);

  assert.deepEqual(heard, ["+7 912", ""]);
});

test("a notice opens an entity only when both its id and its kind are known", () => {
  assert.deepEqual(elementOf({ id: 5, name: "A", path: "/contacts/detail/5" }), { id: 5, type: "contact", name: "A" });
  assert.deepEqual(elementOf({ id: 6, name: "B", path: "/companies/detail/6" }), { id: 6, type: "company", name: "B" });
  assert.equal(elementOf({ name: "A", path: "/contacts/detail/5" }), null);
  assert.equal(elementOf({ id: 7, name: "C", path: "/customers/detail/7" }), null);
  assert.equal(elementOf(null), null);
});
