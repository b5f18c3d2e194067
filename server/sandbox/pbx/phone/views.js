/** What the state looks like; every function gives a new element, nothing here asks the server. */
import { clockText, phoneText, text } from "./texts.js";

/**
 * An element with attributes and children; `onclick` is a listener, `testid` becomes data-testid.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node|string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else node.setAttribute(name === "testid" ? "data-testid" : name, value);
  }
  node.append(...children);
  return node;
}

/** @param {string} action @param {() => void} onclick @param {string} [kind] */
function button(action, onclick, kind = "quiet") {
  return element("button", { type: "button", class: kind, "data-action": action, onclick }, text(action));
}

/** A running clock, moved on by `tick`. @param {number|null} since */
function timer(since) {
  return since ? element("time", { class: "timer", "data-since": String(since) }) : "";
}

/** Set every running clock. @param {number} now */
export function tick(now) {
  for (const node of document.querySelectorAll("[data-since]")) {
    node.textContent = clockText(now - Number(node.dataset.since));
  }
}

/** The other side of an employee's leg. */
function peer(leg, extension) {
  return leg.extension === extension ? leg.source : leg.extension || leg.number;
}

const LOUDEST = ["ringing", "talking", "held"];

/**
 * One desk phone; `busy` lists the {call, leg} it takes part in (a second call may ring while one talks).
 * @param {{extension: string, name: string}} employee @param {any[]} busy @param {any} on
 */
export function deskPhone(employee, busy, on) {
  const { extension, name } = employee;
  const state = LOUDEST.find((wanted) => busy.some(({ leg }) => leg.state === wanted)) ?? "idle";
  const phone = element("article", {
    class: "card desk", "data-state": state, testid: `phone-${extension}`, "aria-label": `${extension} ${name}`,
  });
  phone.append(
    element("h3", {}, element("b", {}, extension), " ", name),
    element("p", { class: "state", role: "status" }, text(state)));
  for (const { call, leg } of busy) {
    phone.append(
      element("p", { class: "peer" }, phoneText(peer(leg, extension)), " ",
        element("small", {}, leg.state === state ? "" : text(leg.state), " ", timer(leg.answered_at))),
      element("menu", {}, ...deskButtons(call, leg, extension, on)));
  }
  return phone;
}

function deskButtons(call, leg, extension, on) {
  if (leg.state === "ringing" && leg.extension === extension) {
    return [
      button("answer", () => on.act({ call: call.call, leg: leg.leg, action: "answer" }), "go"),
      button("reject", () => on.act({ call: call.call, leg: leg.leg, action: "reject" }), "stop"),
    ];
  }
  const isCallee = call.direction === "internal" && leg.extension === extension;
  const buttons = [button("hang_up", () => on.hangUp(call, isCallee ? "client" : "employee"), "stop")];
  if (leg.is_talk && leg.state === "talking") buttons.unshift(button("transfer", () => on.transfer(call, leg)));
  return buttons;
}

/** The outside party of one live call. @param {any} call @param {any} on */
export function clientPhone(call, on) {
  const ringing = call.legs.find((leg) => leg.state === "ringing" && !leg.extension && leg.place === "phone");
  const card = element("article", {
    class: "card client", testid: `client-${call.call}`, "data-state": ringing ? "ringing" : clientState(call),
  });
  card.append(
    element("h3", {}, phoneText(call.client), " ", element("small", {}, text(call.direction))),
    element("p", { class: "state", role: "status" }, text(ringing ? "ringing" : clientState(call)), " ",
      timer(call.talk_started_at)),
  );
  const buttons = ringing
    ? [button("answer", () => on.act({ call: call.call, leg: ringing.leg, action: "answer" }), "go"),
      button("reject", () => on.act({ call: call.call, leg: ringing.leg, action: "reject" }), "stop")]
    : [button("hang_up", () => on.hangUp(call, "client"), "stop")];
  card.append(element("menu", {}, ...buttons));
  return card;
}

function clientState(call) {
  if (call.talk_started_at) return "talking";
  return call.legs.at(-1).place === "ivr" ? "menu" : "waiting";
}

/** One line of the list of calls. @param {any} call */
export function callLine(call) {
  const talked = call.talk_started_at && call.ended_at ? clockText(call.ended_at - call.talk_started_at) : "";
  const how = call.is_live ? text(call.talk_started_at ? "talking" : "ringing") : `${text("ended")} · ${text(call.reason)}`;
  return element("li", { "data-live": String(call.is_live), title: call.call_id },
    element("b", {}, phoneText(call.client || call.legs[0]?.source)),
    element("span", {}, text(call.direction), call.by_api ? ` · ${text("by_api")}` : ""),
    element("span", {}, how), element("span", { class: "timer" }, talked));
}

/** One webhook with its answer; it opens to show the fields. @param {any} hook @param {boolean} isOpen */
export function webhook(hook, isOpen) {
  const outcome = hook.status === null ? text("no_answer") : `${hook.status} · ${hook.ms} ${text("ms")}`;
  const fields = Object.entries(hook.fields).filter(([, value]) => value !== "");
  const rows = fields.map(([name, value]) => element("tr", {},
    element("th", { scope: "row" }, name),
    element("td", {}, typeof value === "object" ? JSON.stringify(value) : String(value))));
  const at = new Date(hook.at * 1000).toLocaleTimeString("ru", { hour12: false });
  return element("li", { testid: "webhook", "data-ok": String(hook.ok), "data-at": String(hook.at) },
    element("details", isOpen ? { open: "" } : {},
      element("summary", {}, element("time", {}, at), element("b", {}, hook.title),
        element("span", { class: "about" }, about(hook.fields)), element("span", { class: "outcome" }, outcome)),
      element("table", {}, ...rows),
      element("pre", {}, hook.answer ?? "")));
}

/** Who is meant, in either vendor's words. */
function about(fields) {
  if (fields.short_dst_num) return `→ ${fields.short_dst_num} ${fields.status ?? ""}`;
  const to = fields.to ?? {};
  return to.extension || to.number ? `→ ${to.extension || to.number} ${fields.disconnect_reason ?? ""}` : "";
}
