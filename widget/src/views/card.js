/** The card of one call: who it is, where it came from, how long, what can be done. Draws; decides nothing. */

import { pretty } from "../phone.js";
import { isLive } from "../state.js";
import { duration } from "../text.js";
import { CallerKind, Capability, CardState, Direction } from "../vocabulary.js";
import { button, h, icon, iconButton, link } from "./dom.js";

/** @typedef {import("../vocabulary.js").CallView} CallView */
/** @typedef {import("../vocabulary.js").CallerView} CallerView */

/**
 * @typedef {object} Context what every view of the panel is given
 * @property {import("../text.js").Texts} t
 * @property {(path: string) => void} go
 * @property {(command: import("../app.js").Command) => void} act
 * @property {() => number} serverS the server's clock, Unix seconds
 */

/** So many namesakes fit; the rest is a number. */
const OTHERS_SHOWN = 3;

/** @param {string} phone */
export const newContactPath = (phone) => `/contacts/add/?phone=${encodeURIComponent(phone)}`;

/**
 * @param {CallerView} caller
 * @param {import("../text.js").Texts} t
 */
export function nameOf({ kind, name, phone }, t) {
  if (kind === CallerKind.ANONYMOUS) return t("caller.anonymous");
  return name || pretty(phone || "") || t("caller.anonymous");
}

/**
 * @param {CallView} call
 * @param {import("../text.js").Texts} t
 */
export function titleOf(call, t) {
  if (call.state !== CardState.RINGING) return t(`card.${call.state}`);
  return t(`ringing.${call.direction}`);
}

/**
 * @param {CallView} call
 * @param {{isFolded: boolean}} look
 * @param {Context} context
 */
export function card(call, { isFolded }, context) {
  const { t, act } = context;
  const name = nameOf(call.caller, t);
  const fold = () => act({ kind: "fold", call_id: call.id, on: !isFolded });
  const dismiss = () => act({ kind: "dismiss", call_id: call.id });
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    if (isLive(call) && !isFolded) fold();
    else if (!isLive(call)) dismiss();
  };
  const parts = isFolded ? [] : [who(call, context), facts(call, context), foot(call, context)];
  return h(
    "div",
    { class: `kmt-card kmt-${call.state}${isFolded ? " kmt-folded" : ""}`, role: "group", "aria-label": `${titleOf(call, t)}: ${name}`,
      "data-kmt": "card", "data-kmt-call": call.id, "data-kmt-state": call.state, "data-kmt-caller": call.caller.kind, on: { keydown: onKey } },
    head(call, { isFolded, name, fold, dismiss }, context),
    ...parts,
  );
}

/**
 * @param {CallView} call
 * @param {{isFolded: boolean, name: string, fold: () => void, dismiss: () => void}} look
 * @param {Context} context
 */
function head(call, { isFolded, name, fold, dismiss }, context) {
  const { t } = context;
  const [drawing, label] = isFolded ? /** @type {const} */ (["unfold", t("card.unfold")]) : /** @type {const} */ (["fold", t("card.fold")]);
  return h(
    "div",
    { class: "kmt-head" },
    icon(call.direction === Direction.OUT ? "outgoing" : "incoming"),
    h("span", { class: "kmt-title", title: isFolded ? name : null, "data-kmt": "title" }, isFolded ? name : titleOf(call, t)),
    call.is_test && h("span", { class: "kmt-tag" }, t("card.test")),
    timer(call, context),
    isLive(call) && iconButton(drawing, label, fold, { "data-kmt": "fold", "aria-expanded": String(!isFolded) }),
    iconButton("close", t("card.close"), dismiss, { "data-kmt": "close" }),
  );
}

/**
 * @param {CallView} call
 * @param {Context} context
 */
function timer(call, { serverS }) {
  const since = call.state === CardState.RINGING ? call.started_at : call.answered_at || call.started_at;
  if (isLive(call)) {
    return h("span", { class: "kmt-timer", role: "timer", "aria-live": "off", "data-kmt": "timer", "data-kmt-since": since }, duration(serverS() - since));
  }
  return call.talk_s ? h("span", { class: "kmt-timer", "data-kmt": "timer" }, duration(call.talk_s)) : null;
}

/**
 * @param {CallView} call
 * @param {Context} context
 */
function who({ caller }, { t, go }) {
  const name = nameOf(caller, t);
  const phone = caller.phone && name !== pretty(caller.phone) ? pretty(caller.phone) : "";
  const note = t.has(`caller.${caller.kind}_note`) ? t(`caller.${caller.kind}_note`) : "";
  return h(
    "div",
    { class: "kmt-who" },
    h("span", { class: "kmt-face", "aria-hidden": "true" }, face(caller)),
    h(
      "div",
      { class: "kmt-names" },
      h("strong", { class: "kmt-name", title: name, "data-kmt": "caller" }, caller.card ? link(name, caller.card.path, go) : name),
      phone && h("span", { class: "kmt-phone", "data-kmt": "phone" }, caller.kind === CallerKind.INTERNAL ? t("caller.extension", { extension: caller.phone || "" }) : phone),
      note && h("span", { class: "kmt-note" }, note),
    ),
  );
}

/** Initials of a known person, a drawing for the rest. @param {CallerView} caller */
function face({ kind, name = "" }) {
  if (kind === CallerKind.COMPANY) return icon("company");
  const letters = (kind === CallerKind.CONTACT || kind === CallerKind.INTERNAL) && name.split(/[\s«"]+/).map((word) => word.match(/^\p{L}/u)).filter(Boolean);
  return letters && letters.length ? letters.slice(0, 2).join("").toUpperCase() : icon("person");
}

/**
 * @param {CallView} call
 * @param {Context} context
 */
function facts(call, { t, go }) {
  const { company, lead, leads_open: leads = 0, responsible, others = [] } = call.caller;
  const line = [call.line_name, call.our_line && pretty(call.our_line)].filter(Boolean).join(" · ");
  const rows = [
    company && row(t("card.company"), "company", link(company.name, company.path, go)),
    lead && row(t("card.lead"), "lead", link(lead.name, lead.path, go), leads > 1 && h("span", { class: "kmt-more" }, t("card.more_leads", { n: leads - 1 }))),
    responsible && row(t("card.responsible"), "responsible", responsible.name),
    call.answered_by && call.state === CardState.ELSEWHERE && row(t("card.answered_by"), "answered-by", call.answered_by.name),
    call.transferred_by && row(t("card.transferred_by"), "transferred-by", call.transferred_by.name),
    line && row(t("card.line"), "line", line),
    call.result && !call.talk_s && !isLive(call) && row(t("card.result"), "result", t(`results.${call.result}`)),
    others.length > 0 && row(t("card.others"), "others", namesakes(others, { t, go })),
  ];
  return h("dl", { class: "kmt-facts" }, ...rows);
}

/**
 * @param {string} label
 * @param {string} hook
 * @param {...import("./dom.js").Child} value
 */
function row(label, hook, ...value) {
  const title = typeof value[0] === "string" ? value[0] : null;
  return [h("dt", {}, label), h("dd", { title, "data-kmt": hook }, ...value)];
}

/**
 * @param {import("../vocabulary.js").Link[]} others
 * @param {{t: import("../text.js").Texts, go: (path: string) => void}} context
 */
function namesakes(others, { t, go }) {
  const shown = others.slice(0, OTHERS_SHOWN).map((other) => link(other.name, other.path, go));
  const rest = others.length - shown.length;
  return h("span", { class: "kmt-list" }, ...shown, rest > 0 && h("span", { class: "kmt-more" }, t("card.more_others", { n: rest })));
}

/**
 * @param {CallView} call
 * @param {Context} context
 */
function foot(call, { t, go, act }) {
  const { caller } = call;
  const { card: own, phone = "" } = caller;
  const canHangUp = isLive(call) && (call.can || []).includes(Capability.HANGUP);
  const canCallBack = call.state === CardState.MISSED && phone;
  const parts = [
    canCallBack && button(t("card.call_back"), () => act({ kind: "dial", phone }), { kind: "primary", "data-kmt": "call-back" }),
    own && button(t("card.open"), () => go(own.path), { kind: canCallBack ? "plain" : "primary", "data-kmt": "open" }),
    caller.kind === CallerKind.UNKNOWN && phone && button(t("card.create"), () => go(newContactPath(phone)), { kind: canCallBack ? "plain" : "primary", "data-kmt": "create" }),
    canHangUp && button(t("card.hang_up"), () => act({ kind: "hangup", call_id: call.id }), { kind: "danger", "data-kmt": "hang-up" }),
    recording(call, t),
  ].filter(Boolean);
  return parts.length ? h("div", { class: "kmt-foot" }, ...parts) : null;
}

/**
 * @param {CallView} call
 * @param {import("../text.js").Texts} t
 */
function recording(call, t) {
  if (call.recording_url) {
    return h("a", { class: "kmt-button kmt-button-plain", href: call.recording_url, target: "_blank", rel: "noopener", "data-kmt": "recording" }, icon("play"), t("card.recording"));
  }
  return call.recording_pending ? h("span", { class: "kmt-note", "data-kmt": "recording-pending" }, t("card.recording_pending")) : null;
}
