/** The card of one call: who it is, where it came from, how long, what can be done. Draws; decides nothing. */

import { isLive } from "../state.js";
import { duration } from "../text.js";
import { CallerKind, Capability, CardState, Direction } from "../vocabulary.js";
import { button, h, icon, iconButton } from "./dom.js";
import { facts } from "./facts.js";
import { CLOSE, FOLD, INCOMING, OUTGOING, PLAY, UNFOLD } from "./icons.js";
import { nameOf, who } from "./who.js";

/** @typedef {import("../vocabulary.js").CallView} CallView */

/**
 * @typedef {object} Context what every view of the panel is given
 * @property {import("../text.js").Texts} t
 * @property {(path: string) => void} go
 * @property {(command: import("../app.js").Command) => void} act
 * @property {() => number} serverS the server's clock, Unix seconds
 */

/** @param {string} phone */
export const newContactPath = (phone) => `/contacts/add/?phone=${encodeURIComponent(phone)}`;

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
    {
      class: `kmt-card kmt-${call.state}${isFolded ? " kmt-folded" : ""}`,
      role: "group",
      "aria-label": `${titleOf(call, t)}: ${name}`,
      "data-kmt": "card",
      "data-kmt-call": call.id,
      "data-kmt-state": call.state,
      "data-kmt-caller": call.caller.kind,
      on: { keydown: onKey },
    },
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
  return h(
    "div",
    { class: "kmt-head" },
    icon(call.direction === Direction.OUT ? OUTGOING : INCOMING),
    h(
      "span",
      { class: "kmt-title", title: isFolded ? name : null, "data-kmt": "title" },
      isFolded ? name : titleOf(call, t),
    ),
    call.is_test && h("span", { class: "kmt-tag" }, t("card.test")),
    timer(call, context),
    isLive(call) &&
      iconButton(isFolded ? UNFOLD : FOLD, t(isFolded ? "card.unfold" : "card.fold"), fold, {
        "data-kmt": "fold",
        "aria-expanded": String(!isFolded),
      }),
    iconButton(CLOSE, t("card.close"), dismiss, { "data-kmt": "close" }),
  );
}

/**
 * @param {CallView} call
 * @param {Context} context
 */
function timer(call, { serverS }) {
  const since = call.state === CardState.RINGING ? call.started_at : call.answered_at || call.started_at;
  if (isLive(call)) {
    return h(
      "span",
      { class: "kmt-timer", role: "timer", "aria-live": "off", "data-kmt": "timer", "data-kmt-since": since },
      duration(serverS() - since),
    );
  }
  return call.talk_s ? h("span", { class: "kmt-timer", "data-kmt": "timer" }, duration(call.talk_s)) : null;
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
    canCallBack &&
      button(t("card.call_back"), () => act({ kind: "dial", phone }), { kind: "primary", "data-kmt": "call-back" }),
    own && button(t("card.open"), () => go(own.path), { kind: canCallBack ? "plain" : "primary", "data-kmt": "open" }),
    caller.kind === CallerKind.UNKNOWN &&
      phone &&
      button(t("card.create"), () => go(newContactPath(phone)), {
        kind: canCallBack ? "plain" : "primary",
        "data-kmt": "create",
      }),
    canHangUp &&
      button(t("card.hang_up"), () => act({ kind: "hangup", call_id: call.id }), {
        kind: "danger",
        "data-kmt": "hang-up",
      }),
    // A call that was handed over has a recording of its first part while it still rings.
    !isLive(call) && recording(call, t),
    call.state === CardState.MISSED && desktopOffer(t),
  ].filter(Boolean);
  return parts.length ? h("div", { class: "kmt-foot" }, ...parts) : null;
}

/**
 * @param {CallView} call
 * @param {import("../text.js").Texts} t
 */
function recording(call, t) {
  if (call.recording_url) {
    return h(
      "a",
      {
        class: "kmt-button kmt-button-plain",
        href: call.recording_url,
        target: "_blank",
        rel: "noopener",
        "data-kmt": "recording",
      },
      icon(PLAY),
      t("card.recording"),
    );
  }
  return call.recording_pending
    ? h("span", { class: "kmt-note", "data-kmt": "recording-pending" }, t("card.recording_pending"))
    : null;
}

/**
 * Who has just missed a call may want the system's notices; browsers let a page ask for them only on a click.
 * @param {import("../text.js").Texts} t
 */
function desktopOffer(t) {
  if (typeof Notification === "undefined" || Notification.permission !== "default") return null;
  const offer = button(t("card.desktop"), () => Notification.requestPermission().then(() => offer.remove()), {
    kind: "link",
    "data-kmt": "desktop",
  });
  return offer;
}
