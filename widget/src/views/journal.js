/** Whether calls are lost, and the way to the journal: a page of the backend's, opened in a window of its own. */

import { button, fill, h } from "./dom.js";
import { outcome, run, section } from "./form.js";

/** @param {import("./settings.js").Page} page */
export function journal({ t, api, lang }) {
  const place = outcome();
  const lost = h("p", { class: "kmt-facts-line", "data-kmt": "lost" });
  // A panel that cannot count shows no number rather than a wrong one.
  api.request("GET", "/api/journal/health").then(
    (health) => fill(lost, t("journal.lost", { n: health.lost }), health.waiting ? t("journal.waiting", { n: health.waiting }) : ""),
    () => undefined,
  );
  const open = button(t("journal.open"), () => run(open, place, { t, work: () => enter(api, lang) }), {
    "data-kmt": "journal-open",
  });
  return section(t("journal.title"), t("journal.hint"), lost, open, place);
}

/**
 * The ticket travels in a form: an address would be kept in histories and logs.
 * @param {import("../api.js").Api} api
 * @param {string} language
 */
async function enter(api, language) {
  const { ticket, url } = await api.request("POST", "/api/console");
  const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions();
  const fields = Object.entries({ ticket, language, zone }).map(([name, value]) =>
    h("input", { type: "hidden", name, value }),
  );
  const form = /** @type {HTMLFormElement} */ (
    h("form", { method: "post", action: url, target: "_blank", rel: "noopener", hidden: "" }, ...fields)
  );
  document.body.append(form);
  form.submit();
  form.remove();
}
