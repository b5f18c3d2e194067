/** An error in plain words, with what the reader can do about it. */

import { h, icon } from "./dom.js";
import { ALERT } from "./icons.js";

/** @typedef {import("../vocabulary.js").Problem} Problem */
/** @typedef {import("../text.js").Texts} Texts */

/**
 * The words of a problem: ours in the agent's language; the server's own for a slug that this version does not know.
 * @param {Problem} problem
 * @param {Texts} t
 */
export function wordsOf({ slug, message, cure, details }, t) {
  const isKnown = t.has(`errors.${slug}.text`);
  return {
    text: isKnown ? t(`errors.${slug}.text`, details) : message || t("errors.error.text"),
    cure: isKnown ? t(`errors.${slug}.cure`, details) : cure || "",
    // The PBX's own words help whoever calls its support.
    said: (details && details.vendor_text) || "",
  };
}

/**
 * @param {Problem} problem
 * @param {Texts} t
 */
export function problemView(problem, t) {
  const { text, cure, said } = wordsOf(problem, t);
  return h(
    "div",
    { class: "kmt-problem", "data-kmt": "problem", "data-kmt-slug": problem.slug },
    icon(ALERT),
    h(
      "div",
      {},
      h("p", { class: "kmt-problem-text" }, text),
      cure && h("p", { class: "kmt-problem-cure" }, cure),
      said && h("p", { class: "kmt-problem-cure" }, `«${said}»`),
    ),
  );
}
