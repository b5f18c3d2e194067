/** The account's own choices, and how far the copy of its phone book is. */

import { NoticeWay } from "../vocabulary.js";
import { h } from "./dom.js";
import { labelled, outcome, run, section, select } from "./form.js";

/** @typedef {import("./settings.js").Page} Page */

/** @param {Page} page */
export function options(page) {
  const { t, data } = page;
  const place = outcome();
  const way = select(
    Object.values(NoticeWay).map((value) => ({ value, label: t(`options.notice.${value}`) })),
    { "data-kmt": "option-notice" },
  );
  way.value = data.account.notice || NoticeWay.CARD;
  way.addEventListener("change", () => store(way, place, { change: { notice: way.value }, page }));
  return section(
    t("options.title"),
    "",
    labelled(t("options.announced_by"), way),
    flag("email_action", place, page),
    flag("log_internal", place, page),
    place,
  );
}

/**
 * @param {"email_action" | "log_internal"} name
 * @param {HTMLElement} place
 * @param {Page} page
 */
function flag(name, place, page) {
  const box = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", class: "kmt-check", "data-kmt": `option-${name}` })
  );
  box.checked = Boolean(page.data.account[name]);
  box.addEventListener("change", () => store(box, place, { change: { [name]: box.checked }, page }));
  return h("label", { class: "kmt-keep" }, box, page.t(`options.${name}`));
}

/**
 * @param {HTMLElement} changed
 * @param {HTMLElement} place
 * @param {{change: object, page: Page}} options
 */
function store(changed, place, { change, page: { api, t } }) {
  run(changed, place, {
    t,
    work: async () => (await api.request("PUT", "/api/settings/account", change), t("settings.saved")),
  });
}

/**
 * @param {import("../vocabulary.js").DirectoryView | null} found
 * @param {import("../text.js").Texts} t
 */
export function directory(found, t) {
  if (!found) return null;
  const { is_complete: isComplete, contacts = 0, companies = 0, leads = 0 } = found;
  const parts = [
    t("directory.contacts", { n: contacts }),
    t("directory.companies", { n: companies }),
    t("directory.leads", { n: leads }),
  ].join(", ");
  return section(
    t("directory.title"),
    isComplete ? t("directory.complete") : t("directory.copying"),
    h(
      "p",
      { class: "kmt-facts-line", "data-kmt": "directory", "data-kmt-ok": String(isComplete) },
      !isComplete && h("i", { class: "kmt-spin" }),
      parts,
    ),
  );
}
