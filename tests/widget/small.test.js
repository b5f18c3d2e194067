import assert from "node:assert/strict";
import { test } from "node:test";

import { CAP_MS, delayMs, URGENT_CAP_MS } from "../../widget/src/backoff.js";
import { isSame, pretty } from "../../widget/src/phone.js";
import { addressProblem, normalised } from "../../widget/src/server_check.js";
import { createTexts, duration } from "../../widget/src/text.js";
import { asRequest, waysOf } from "../../widget/src/ways.js";

const texts = (tree, lang = "ru") =>
  createTexts(
    () => tree,
    () => lang,
  );

test("the wait doubles up to its cap and is spread from zero", () => {
  const longest = [0, 1, 2, 3, 4, 5, 9].map((attempt) => delayMs(attempt, { random: () => 1 }));

  assert.deepEqual(longest, [1000, 2000, 4000, 8000, 16000, CAP_MS, CAP_MS]);
  assert.equal(delayMs(5, { random: () => 0 }), 0);
});

test("with a live call the wait stays under two seconds", () => {
  assert.equal(delayMs(9, { random: () => 1, capMs: URGENT_CAP_MS }), 1500);
});

for (const [phone, shown] of [
  ["+79123456789", "+7 912 345-67-89"],
  ["+12125550100", "+1 212 555-0100"],
  ["+375291234567", "+375 29 123-45-67"],
  ["+442079460958", "+442079460958"],
  ["+7912345", "+7912345"],
  ["89123456789", "+7 912 345-67-89"],
  ["79123456789", "+7 912 345-67-89"],
  ["202", "202"],
  ["", ""],
]) {
  test(`${phone || "no number"} reads ${shown || "as nothing"}`, () => {
    assert.equal(pretty(phone), shown);
  });
}

test("two writings of one number are the same", () => {
  assert.equal(isSame("8 (912) 345-67-89", "+79123456789"), true);
  assert.equal(isSame("+79123456780", "+79123456789"), false);
});

test("a text is found by its path and its places are filled", () => {
  assert.equal(texts({ a: { b: "Привет, {name}" } })("a.b", { name: "Анна" }), "Привет, Анна");
});

test("an unknown key shows itself and an unknown place stays", () => {
  const t = texts({ a: "{x}" });

  assert.equal(t("no.such"), "no.such");
  assert.equal(t("a", { y: 1 }), "{x}");
  assert.equal(t.has("no.such"), false);
});

for (const [n, shown] of [
  [1, "1 сделка"],
  [2, "2 сделки"],
  [5, "5 сделок"],
  [11, "11 сделок"],
  [21, "21 сделка"],
]) {
  test(`in Russian ${n} is ${shown}`, () => {
    assert.equal(texts({ leads: "{n} сделка|{n} сделки|{n} сделок" })("leads", { n }), shown);
  });
}

test("in English one differs from many", () => {
  const t = texts({ leads: "{n} lead|{n} leads" }, "en");

  assert.deepEqual([t("leads", { n: 1 }), t("leads", { n: 0 })], ["1 lead", "0 leads"]);
});

test("seconds are shown as on a clock", () => {
  assert.deepEqual([duration(7), duration(754), duration(3723), duration(-3)], ["0:07", "12:34", "1:02:03", "0:00"]);
});

for (const [typed, slug] of [
  ["", "not-configured"],
  ["calls.example.com", "address-unreadable"],
  ["ftp://calls.example.com", "address-unreadable"],
  ["http://calls.example.com", "address-insecure"],
  ["https://calls.example.com/", undefined],
  ["http://localhost:8801", undefined],
]) {
  test(`the address "${typed}" is ${slug || "good"}`, () => {
    assert.equal(addressProblem(typed)?.slug, slug);
  });
}

test("an address loses what people paste around it", () => {
  assert.equal(normalised(" https://calls.example.com/base/?x=1#y "), "https://calls.example.com/base");
});

const line = (more = {}) => ({
  id: "l1",
  name: "Sales",
  provider: "p",
  capabilities: ["dial_number", "dial_scheme", "dial_external"],
  schemes: { s1: "Queue" },
  ...more,
});
const state = (lines, extensions = { l1: "201" }) => ({ agent: { id: 1, name: "A", extensions }, lines });

test("an agent with an extension may call through everything the account has set up", () => {
  assert.deepEqual(
    waysOf(state([line()])).map((way) => way.id),
    ["l1.number", "l1.scheme.s1.Queue", "l1.external"],
  );
});

test("an agent without an extension may still connect two outside phones", () => {
  assert.deepEqual(
    waysOf(state([line()], {})).map((way) => way.way),
    ["external"],
  );
});

test("a line that can do nothing offers nothing", () => {
  assert.deepEqual(waysOf(state([line({ capabilities: [] })])), []);
});

test("a way becomes the fields of a request", () => {
  const [number, scheme, external] = waysOf(state([line()]));

  assert.deepEqual(asRequest(number, ""), { way: "number", line: "l1" });
  assert.deepEqual(asRequest(scheme, ""), { way: "scheme", line: "l1", scheme: "s1" });
  assert.deepEqual(asRequest(external, "+79990000000"), { way: "external", line: "l1", from_phone: "+79990000000" });
});
