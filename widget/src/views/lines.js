/** The connected PBXs: what each of them needs to know of us, whether it works, adding, changing, taking away. */

import { button, fill, h, icon } from "./dom.js";
import { careful, copyable, outcome, run, section } from "./form.js";
import { ALERT, CHECK } from "./icons.js";
import { lineForm, providerOf } from "./line_form.js";
import { problemView } from "./problem.js";

/** @typedef {import("./settings.js").Page} Page */

/** @param {Page} page */
export function lines(page) {
  const { t, data } = page;
  const place = h("div", {});
  const add = button(
    t("lines.add"),
    () =>
      fill(
        place,
        lineForm(null, page, () => fill(place)),
      ),
    { "data-kmt": "line-add" },
  );
  const empty = data.lines.length ? null : h("p", { class: "kmt-empty" }, t("lines.none"));
  return section(
    t("lines.title"),
    t("lines.hint"),
    h("div", { "data-kmt": "lines" }, empty, ...data.lines.map((/** @type {any} */ line) => lineCard(line, page))),
    place,
    add,
  );
}

/**
 * @param {any} line
 * @param {Page} page
 */
function lineCard(line, page) {
  const { t } = page;
  const place = outcome();
  const form = h("div", {});
  const edit = button(
    t("lines.edit"),
    () =>
      fill(
        form,
        lineForm(line, page, () => fill(form)),
      ),
    { "data-kmt": "line-edit" },
  );
  const check = button(t("lines.check"), () => ask(check, place, { line, page }), { "data-kmt": "line-check" });
  const path = `/api/lines/${line.id}`;
  /** @param {string} method @param {string} address */
  const change = (method, address) =>
    run(check, place, { t, work: async () => void (await page.api.request(method, address), await page.reload()) });
  return h(
    "div",
    { class: "kmt-box", "data-kmt": "line", "data-kmt-line": line.id },
    h(
      "div",
      { class: "kmt-box-head" },
      h("strong", { title: line.name }, line.name),
      h("span", { class: "kmt-tag" }, providerOf(line.provider, page).title),
      h("span", { class: "kmt-note" }, heard(line.last_hook_at, page)),
    ),
    h("p", { class: "kmt-hint" }, t("lines.address_hint")),
    copyable(line.hook_base, t),
    addresses(line, page),
    h(
      "div",
      { class: "kmt-foot" },
      check,
      edit,
      careful(t("lines.new_address"), t("lines.new_address_sure"), () => change("POST", `${path}/secret`), {
        "data-kmt": "line-secret",
      }),
      careful(t("lines.remove"), t("lines.remove_sure"), () => change("DELETE", path), { "data-kmt": "line-remove" }),
    ),
    place,
    form,
  );
}

/**
 * Where a PBX has a field for each kind of event, each address is shown.
 * @param {any} line
 * @param {Page} page
 */
function addresses(line, { t }) {
  const urls = Object.values(line.hook_urls || {}).filter((url) => url !== line.hook_base);
  if (!urls.length) return null;
  return h("details", {}, h("summary", {}, t("lines.all_addresses")), ...urls.map((url) => copyable(url, t)));
}

/**
 * @param {HTMLElement} pressed
 * @param {HTMLElement} place
 * @param {{line: any, page: Page}} options
 */
async function ask(pressed, place, { line, page: { t, api } }) {
  /** @type {any[]} */
  let checks = [];
  await run(pressed, place, {
    t,
    work: async () => void ({ checks } = await api.request("POST", `/api/lines/${line.id}/check`, {})),
  });
  place.append(...checks.map((/** @type {any} */ check) => checked(check, t)));
}

/**
 * @param {{name: string, ok: boolean, problem?: import("../vocabulary.js").Problem}} check
 * @param {import("../text.js").Texts} t
 */
function checked({ name, ok, problem }, t) {
  const label = t.has(`checks.${name}`) ? t(`checks.${name}`) : name;
  const cure = !problem && t.has(`unchecked.${name}`) ? t(`unchecked.${name}`) : "";
  const parts = ok ? [icon(CHECK), label] : problem ? [problemView(problem, t)] : [icon(ALERT), cure || label];
  return h(
    "div",
    {
      class: ok ? "kmt-good" : "kmt-bad",
      "data-kmt": "line-checked",
      "data-kmt-check": name,
      "data-kmt-ok": String(ok),
    },
    ...parts,
  );
}

/**
 * @param {number | null} at
 * @param {Page} page
 */
function heard(at, { t, lang }) {
  return at
    ? t("lines.heard", { when: new Date(at * 1000).toLocaleString(lang, { dateStyle: "short", timeStyle: "short" }) })
    : t("lines.not_heard");
}
