/** Who is at the other end: name, number, face, and what the agent may know of them. */

import { pretty } from "../phone.js";
import { CallerKind } from "../vocabulary.js";
import { h, icon, link } from "./dom.js";
import { COMPANY, PERSON } from "./icons.js";

/** @typedef {import("../vocabulary.js").CallerView} CallerView */

/**
 * @param {CallerView} caller
 * @param {import("../text.js").Texts} t
 */
export function nameOf({ kind, name, phone }, t) {
  if (kind === CallerKind.ANONYMOUS) return t("caller.anonymous");
  return name || pretty(phone || "") || t("caller.anonymous");
}

/**
 * @param {import("../vocabulary.js").CallView} call
 * @param {import("./card.js").Context} context
 */
export function who({ caller }, { t, go }) {
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
      h(
        "strong",
        { class: "kmt-name", title: name, "data-kmt": "caller" },
        caller.card ? link(name, caller.card.path, go) : name,
      ),
      phone &&
        h(
          "span",
          { class: "kmt-phone", "data-kmt": "phone" },
          caller.kind === CallerKind.INTERNAL ? t("caller.extension", { extension: caller.phone || "" }) : phone,
        ),
      note && h("span", { class: "kmt-note" }, note),
    ),
  );
}

/** Initials of a known person, a drawing for the rest. @param {CallerView} caller */
function face({ kind, name = "" }) {
  if (kind === CallerKind.COMPANY) return icon(COMPANY);
  const letters =
    (kind === CallerKind.CONTACT || kind === CallerKind.INTERNAL) &&
    name
      .split(/[\s«"]+/)
      .map((word) => word.match(/^\p{L}/u))
      .filter(Boolean);
  return letters && letters.length ? letters.slice(0, 2).join("").toUpperCase() : icon(PERSON);
}
