/** The phone page: asks for the state, paints what changed, and sends what people press. */
import { applyTexts, switchLanguage, text } from "./texts.js";
import { callLine, clientPhone, deskPhone, element, tick, webhook } from "./views.js";

const SCENARIOS = {
  by_hand: "by_hand", answered: "answered", missed: "missed", busy: "busy", cancelled: "cancelled",
  group: "group_call", transfer: "transfer_call", callback: "callback",
};
const RETRY_MS = 1000;
const byId = (id) => document.getElementById(id);
let state = null;
let skew = 0; // the PBX's clock minus ours

const on = {
  act: (body) => send("/phone/api/actions", body),
  hangUp: (call, by) => send("/phone/api/actions", { call: call.call, action: "hang_up", by }),
  transfer: askWhereTo,
};

async function send(path, body) {
  const answer = await fetch(path, { method: "POST", body: JSON.stringify(body) }).catch(() => null);
  byId("problem").textContent = answer === null ? text("lost") : await problemOf(answer);
}

async function problemOf(answer) {
  if (answer.ok) return "";
  const { error } = await answer.json();
  return text(error.slug, error.message);
}

async function follow() {
  for (;;) {
    const after = encodeURIComponent(state?.revision ?? "");
    try {
      const answer = await fetch(`/phone/api/state?after=${after}`);
      state = await answer.json();
      skew = state.now - Date.now() / 1000;
      document.documentElement.dataset.link = "up";
      paint();
    } catch {
      document.documentElement.dataset.link = "down";
      chip(text("lost"), "bad");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Rebuild a part only when what it shows has changed, so that focus and open details survive. */
function keep(node, key, build) {
  const signature = document.documentElement.lang + JSON.stringify(key);
  if (node.shown === signature) return;
  node.shown = signature;
  node.replaceChildren(...build());
}

function paint() {
  if (!state) return;
  byId("vendor").textContent = { sipuni: "Sipuni", mango: "MANGO OFFICE" }[state.vendor];
  document.title = `${byId("vendor").textContent} · ${text("desks")}`;
  document.documentElement.dataset.vendor = state.vendor;
  paintHook();
  paintForm();
  paintPhones();
  const live = state.calls.filter((call) => call.is_live && call.direction !== "internal");
  keep(byId("clients"), live, () => live.map((call) => clientPhone(call, on)));
  keep(byId("calls"), state.calls, () => state.calls.map(callLine).concat(state.calls.length ? [] : empty("no_calls")));
  paintHooks();
  tick(Date.now() / 1000 + skew);
}

function empty(key) {
  return [element("li", { class: "empty" }, text(key))];
}

function chip(words, kind) {
  byId("hook").textContent = words;
  byId("hook").dataset.kind = kind;
}

function paintHook() {
  if (state.suspended) chip(text("suspended"), "bad");
  else if (!state.hook) chip(text("no_hook"), "warn");
  else chip(`${text("hook")} ${new URL(state.hook).host}`, "good");
}

function paintForm() {
  const form = byId("dial");
  const choice = (value, words) => element("option", { value }, words);
  keep(form.elements.line, state.lines, () => state.lines.map((line) => choice(line, `+${line}`)));
  keep(form.elements.scenario, state.vendor, () =>
    Object.entries(SCENARIOS).map(([value, key]) => choice(value, text(key))));
  keep(byId("targets"), [state.employees, state.groups], () => [
    ...state.employees.map(({ extension }, index) => target("checkbox", "extension", extension, index === 0)),
    ...Object.keys(state.groups).map((group) => target("checkbox", "group", group, false)),
  ]);
}

function target(type, name, value, isChosen, testid = `ring-${value}`) {
  const input = element("input", { type, name, value, testid });
  input.checked = isChosen;
  const label = name === "group" ? `${text("group")} ${value}` : value;
  return element("label", { class: "target" }, input, element("span", {}, label));
}

function paintPhones() {
  const holder = byId("phones");
  const wanted = state.employees.map((employee) => [employee, busyWith(employee.extension)]);
  while (holder.children.length < wanted.length) holder.append(element("div"));
  wanted.forEach(([employee, busy], index) =>
    keep(holder.children[index], [employee, busy], () => [deskPhone(employee, busy, on)]));
}

/** What occupies a desk phone: of each call its own leg, else the leg that it placed; a talk goes before both. */
function busyWith(extension) {
  return state.calls.filter((call) => call.is_live).flatMap((call) => {
    const live = call.legs.filter((leg) => leg.state !== "ended" && leg.place === "phone");
    const mine = live.filter((leg) => leg.extension === extension || leg.source === extension);
    const leg = mine.find((one) => one.is_talk && one.state === "talking")
      ?? mine.find((one) => one.extension === extension) ?? mine[0];
    return leg ? [{ call, leg }] : [];
  });
}

function paintHooks() {
  const open = new Set([...document.querySelectorAll("#hooks li:has(details[open])")].map((node) => node.dataset.at));
  keep(byId("hooks"), state.webhooks, () => {
    if (!state.webhooks.length) return empty("no_webhooks");
    return state.webhooks.map((hook) => webhook(hook, open.has(String(hook.at))));
  });
}

async function call(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const group = form.get("group");
  const body = {
    scenario: form.get("scenario"), from: form.get("anonymous") ? "" : form.get("from"), to: form.get("line"),
    ...(group ? { extension: group } : { extensions: form.getAll("extension") }),
  };
  await send("/phone/api/calls", body);
}

function askWhereTo(call, leg) {
  const dialog = byId("transfer");
  const colleagues = state.employees.filter(({ extension }) => extension !== leg.extension);
  byId("colleagues").replaceChildren(
    ...colleagues.map(({ extension }, index) => target("radio", "colleague", extension, index === 0, `to-${extension}`)));
  dialog.returnValue = "cancel";
  dialog.onclose = () => {
    if (dialog.returnValue === "cancel" || dialog.returnValue === "") return;
    const form = new FormData(dialog.querySelector("form"));
    const to = String(form.get("number")).replace(/\D/g, "") || form.get("colleague");
    on.act({ call: call.call, leg: leg.leg, action: dialog.returnValue, to });
  };
  dialog.showModal();
}

function theme(change = false) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  let chosen = localStorage.getItem("phone.theme") || system;
  if (change) {
    chosen = chosen === "dark" ? "light" : "dark";
    localStorage.setItem("phone.theme", chosen);
  }
  root.dataset.theme = chosen;
  byId("theme").textContent = text(chosen === "dark" ? "light" : "dark");
  byId("language").textContent = text("other_language");
}

byId("dial").addEventListener("submit", call);
byId("theme").addEventListener("click", () => theme(true));
byId("language").addEventListener("click", () => {
  switchLanguage();
  theme();
  paint();
});
setInterval(() => tick(Date.now() / 1000 + skew), RETRY_MS);
applyTexts();
theme();
follow();
