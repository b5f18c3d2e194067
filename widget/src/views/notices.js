/** Notices outside our panel: amoCRM's notification centre, its errors, and the system's when no tab is in sight. */

import { elementOf } from "../host.js";
import { pretty } from "../phone.js";
import { isLive } from "../state.js";
import { CallerKind } from "../vocabulary.js";
import { newContactPath, titleOf } from "./card.js";
import { wordsOf } from "./problem.js";
import { nameOf } from "./who.js";

/** @typedef {import("../vocabulary.js").CallView} CallView */
/** @typedef {import("../text.js").Texts} Texts */
/** @typedef {import("../host.js").Host} Host */

/**
 * Puts a call into amoCRM's notification centre. Only for a call that the server has granted.
 * @param {CallView} call
 * @param {{host: Host, t: Texts}} options
 */
export async function noticeCall(call, { host, t }) {
  const { caller } = call;
  const phone = caller.phone || "";
  const isUnknown = caller.kind === CallerKind.UNKNOWN && Boolean(phone);
  const element = elementOf(caller.card);
  const path = isUnknown ? newContactPath(phone) : caller.card ? caller.card.path : "";
  const label = isUnknown ? t("card.create") : nameOf(caller, t);
  const details = [caller.company && caller.company.name, call.line_name].filter(Boolean).join(" · ");
  // The notice takes markup, so the template, which escapes what it prints, makes it; without it plain words must do.
  const html = await host.render("notice", { path, label, details });
  const title = isLive(call) ? t(`ringing.${call.direction}`) : titleOf(call, t);
  host.addCall({
    header: `${title}: ${pretty(phone) || nameOf(caller, t)}`,
    text: html || t("notice.plain"),
    date: call.started_at,
    // amoCRM takes a filled `from` for a known caller.
    from: isUnknown ? "" : nameOf(caller, t),
    to: call.extension || "",
    ...(call.talk_s ? { duration: call.talk_s } : {}),
    ...(call.recording_url ? { link: call.recording_url } : {}),
    ...(element ? { element } : {}),
    ...(!element && path ? { click_link: path } : {}),
  });
}

/**
 * An error of background work: nobody clicked, so it goes where amoCRM keeps errors.
 * @param {import("../vocabulary.js").Problem} problem
 * @param {{host: Host, t: Texts, onLost: () => void}} options
 */
export function noticeProblem(problem, { host, t, onLost }) {
  const { text, cure } = wordsOf(problem, t);
  let isKept = false;
  host.addError(
    { header: t("widget.name"), text: [text, cure].filter(Boolean).join(" ") },
    { done: () => void (isKept = true), fail: () => void (isKept = false), always: () => void (isKept || onLost()) },
  );
}

/** The system's own notices; granted by the person once, by a click. */
export function createDesktopNotices(/** @type {{t: Texts, onClick: () => void}} */ { t, onClick }) {
  /** @type {Map<string, Notification>} */
  const shown = new Map();
  return {
    /** Shows these calls and takes away all others. @param {CallView[]} calls */
    set(calls) {
      const ids = new Set(calls.map((call) => call.id));
      shown.forEach((notice, id) => {
        if (ids.has(id)) return;
        notice.close();
        shown.delete(id);
      });
      if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
      calls
        .filter((call) => !shown.has(call.id))
        .forEach((call) => {
          const body = [pretty(call.caller.phone || ""), call.caller.company && call.caller.company.name]
            .filter(Boolean)
            .join("\n");
          const notice = new Notification(`${titleOf(call, t)}: ${nameOf(call.caller, t)}`, { body, tag: call.id });
          notice.onclick = onClick;
          shown.set(call.id, notice);
        });
    },
  };
}
