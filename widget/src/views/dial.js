/** The state line of a click-to-call: from the click to the talk, or to the error with its cure. Draws; decides nothing. */

import { pretty } from "../phone.js";
import { duration } from "../text.js";
import { Capability, DialState } from "../vocabulary.js";
import { chooser } from "./chooser.js";
import { button, h, icon, iconButton } from "./dom.js";
import { CLOSE, OUTGOING } from "./icons.js";
import { problemView } from "./problem.js";

/** @typedef {import("../vocabulary.js").DialView} DialView */

/** The stages that everybody passes, in their order. */
const STEPS = [DialState.ACCEPTED, DialState.AGENT_RINGING, DialState.CLIENT_RINGING, DialState.TALKING];

/** @type {string[]} */
const BUSY = [DialState.ASKING, ...STEPS];

/**
 * @typedef {object} Line what the state line shows
 * @property {string} state a word of DialState
 * @property {string} phone
 * @property {number} since when the talk began, for the clock
 * @property {import("../vocabulary.js").Problem | null} problem
 * @property {string[]} can
 * @property {string} id of the order; empty before the server has one
 * @property {string} callId
 * @property {import("../ways.js").Way[]} ways other ways to call this number
 * @property {boolean} isChoosing
 */

/**
 * @param {Line} line
 * @param {import("./card.js").Context & {choose: (on: boolean) => void, fromPhone: () => string}} context
 */
export function dialLine(line, context) {
  const { t, act } = context;
  const isBusy = BUSY.includes(line.state);
  const close = () => act({ kind: "close-line" });
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    if (line.isChoosing) context.choose(false);
    else if (!isBusy) close();
  };
  return h(
    "div",
    {
      class: `kmt-card kmt-line kmt-line-${line.state}`,
      role: "group",
      "aria-label": `${t("dial.title")}: ${pretty(line.phone)}`,
      "data-kmt": "dial",
      "data-kmt-state": line.state,
      on: { keydown: onKey },
    },
    h(
      "div",
      { class: "kmt-head" },
      icon(OUTGOING),
      h("span", { class: "kmt-title", "data-kmt": "dial-phone" }, pretty(line.phone)),
      line.state === DialState.TALKING &&
        h(
          "span",
          { class: "kmt-timer", role: "timer", "data-kmt": "timer", "data-kmt-since": line.since },
          duration(context.serverS() - line.since),
        ),
      !isBusy && iconButton(CLOSE, t("card.close"), close, { "data-kmt": "close" }),
    ),
    isBusy && steps(line.state),
    h("p", { class: "kmt-stage", "data-kmt": "stage" }, t(`dial.${line.state}`)),
    line.problem && problemView(line.problem, t),
    foot(line, context),
    line.isChoosing && chooser(line, context),
  );
}

/** How far it is, as four bars; the words say it beside them. @param {string} state */
function steps(state) {
  const reached = STEPS.indexOf(/** @type {any} */ (state));
  return h(
    "div",
    { class: "kmt-steps", "aria-hidden": "true" },
    ...STEPS.map((_, index) => h("i", { class: index < reached ? "kmt-done" : index === reached ? "kmt-now" : null })),
  );
}

/**
 * @param {Line} line
 * @param {import("./card.js").Context & {choose: (on: boolean) => void}} context
 */
function foot(line, { t, act, choose }) {
  const canRetry = line.problem && line.state === DialState.FAILED && line.problem.temporary;
  const isStillOpen = line.state !== DialState.TALKING && line.state !== DialState.ENDED;
  const mayEnd = line.can.includes(Capability.CANCEL) || line.can.includes(Capability.HANGUP);
  const mayChange = !BUSY.includes(line.state) || mayEnd;
  const parts = [
    canRetry &&
      button(t("dial.retry"), () => act({ kind: "dial", phone: line.phone }), { kind: "primary", "data-kmt": "retry" }),
    line.can.includes(Capability.CANCEL) &&
      button(t("dial.cancel"), () => act({ kind: "cancel", id: line.id }), { kind: "danger", "data-kmt": "cancel" }),
    line.can.includes(Capability.HANGUP) &&
      line.callId &&
      button(t("card.hang_up"), () => act({ kind: "hangup", call_id: line.callId }), {
        kind: "danger",
        "data-kmt": "hang-up",
      }),
    isStillOpen &&
      mayChange &&
      line.ways.length > 1 &&
      button(t("dial.otherwise"), () => choose(!line.isChoosing), {
        "aria-expanded": String(line.isChoosing),
        "data-kmt": "otherwise",
      }),
  ].filter(Boolean);
  return parts.length ? h("div", { class: "kmt-foot" }, ...parts) : null;
}
