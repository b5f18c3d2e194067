/** The other ways to call a number: through a scheme of the PBX, the client first, from another phone. */

import { DialWay } from "../vocabulary.js";
import { asRequest } from "../ways.js";
import { button, h } from "./dom.js";

/**
 * @param {import("./dial.js").Line} line
 * @param {import("./card.js").Context & {fromPhone: () => string}} context
 */
export function chooser(line, context) {
  const { t } = context;
  const keep = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", class: "kmt-check", "data-kmt": "way-keep" })
  );
  const start = (/** @type {import("../ways.js").Way} */ way, fromPhone = "") =>
    context.act({
      kind: "dial",
      phone: line.phone,
      how: asRequest(way, fromPhone),
      keep: keep.checked,
      replaces: line.can.length ? { id: line.id, call_id: line.callId, can: line.can } : null,
    });
  const rows = line.ways.map((way) =>
    way.way === DialWay.EXTERNAL
      ? external(way, start, context)
      : h(
          "li",
          {},
          button(labelOf(way, t), () => start(way), { kind: "row", "data-kmt": "way", "data-kmt-way": way.id }),
        ),
  );
  return h(
    "div",
    { class: "kmt-chooser", "data-kmt": "chooser" },
    h("ul", { "aria-label": t("dial.otherwise") }, ...rows),
    h("label", { class: "kmt-keep" }, keep, t("dial.keep")),
  );
}

/**
 * @param {import("../ways.js").Way} way
 * @param {import("../text.js").Texts} t
 */
function labelOf(way, t) {
  const name = way.name ? ` · ${way.name}` : "";
  if (way.scheme) return t("dial.way_scheme", { name: way.name });
  return (way.client_first ? t("dial.way_client_first") : t("dial.way_number")) + name;
}

/**
 * @param {import("../ways.js").Way} way
 * @param {(way: import("../ways.js").Way, fromPhone: string) => void} start
 * @param {import("./card.js").Context & {fromPhone: () => string}} context
 */
function external(way, start, { t, fromPhone }) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "tel",
      class: "kmt-input",
      value: fromPhone(),
      placeholder: "+7",
      "aria-label": t("dial.from_phone"),
      required: true,
      "data-kmt": "from-phone",
    })
  );
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    start(way, input.value.trim());
  };
  return h(
    "li",
    {},
    h(
      "form",
      { class: "kmt-external", on: { submit } },
      h("span", {}, t("dial.way_external")),
      h(
        "div",
        { class: "kmt-pair" },
        input,
        h(
          "button",
          { type: "submit", class: "kmt-button kmt-button-plain", "data-kmt": "way", "data-kmt-way": way.id },
          t("dial.call"),
        ),
      ),
    ),
  );
}
