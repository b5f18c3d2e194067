/** Who has which extension on which line. amoCRM's `users` field is read as an import, the backend owns the map. */

import { button, h } from "./dom.js";
import { input, outcome, run, section } from "./form.js";

/** @typedef {import("./settings.js").Page} Page */
/** @typedef {{user: string, line: string, node: HTMLInputElement}} Cell */

/** @param {Page} page */
export function agents(page) {
  const { t, data } = page;
  if (!data.lines.length) return null;
  const people = data.users.filter((/** @type {any} */ user) => user.is_active !== false);
  const cells = people.flatMap((/** @type {any} */ user) =>
    data.lines.map((/** @type {any} */ line) => cell(user, line, page)),
  );
  const place = outcome();
  const save = button(t("settings.save"), () => store(save, place, { cells, page }), {
    kind: "primary",
    "data-kmt": "agents-save",
  });
  return section(
    t("agents.title"),
    t("agents.hint"),
    table(people, cells, page),
    h("div", { class: "kmt-foot" }, save, importer(cells, page)),
    place,
  );
}

/**
 * @param {any} user
 * @param {any} line
 * @param {Page} page
 * @returns {Cell}
 */
function cell(user, line, { data, t }) {
  const found = data.agents.find((/** @type {any} */ one) => one.user_id === user.id && one.line_id === line.id);
  const node = input({
    class: "kmt-input kmt-short",
    inputmode: "numeric",
    maxlength: 12,
    value: found ? found.extension : "",
    "aria-label": t("agents.extension_of", { name: user.name, line: line.name }),
    "data-kmt": "extension",
    "data-kmt-user": user.id,
    "data-kmt-line": line.id,
  });
  return { user: String(user.id), line: line.id, node };
}

/**
 * @param {any[]} people
 * @param {Cell[]} cells
 * @param {Page} page
 */
function table(people, cells, { t, data }) {
  const heads = data.lines.map((/** @type {any} */ line) => h("th", { scope: "col", title: line.name }, line.name));
  const rows = people.map((user) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", title: user.name }, user.name),
      ...cells.filter((one) => one.user === String(user.id)).map((one) => h("td", {}, one.node)),
    ),
  );
  return h(
    "div",
    { class: "kmt-scroll" },
    h(
      "table",
      { class: "kmt-table", "data-kmt": "agents" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("agents.person")), ...heads)),
      h("tbody", {}, ...rows),
    ),
  );
}

/**
 * Takes amoCRM's field over into the first line; nothing is stored before "save".
 * @param {Cell[]} cells
 * @param {Page} page
 */
function importer(cells, { t, data, typed }) {
  const count = Object.keys(typed()).length;
  if (!count) return null;
  const take = () => {
    const given = typed();
    cells
      .filter((one) => one.line === data.lines[0].id && given[one.user])
      .forEach((one) => void (one.node.value = given[one.user]));
  };
  return button(t("agents.import", { n: count }), take, { "data-kmt": "agents-import" });
}

/**
 * @param {HTMLElement} pressed
 * @param {HTMLElement} place
 * @param {{cells: Cell[], page: Page}} options
 */
function store(pressed, place, { cells, page: { api, t } }) {
  const filled = cells.filter((one) => one.node.value.trim());
  const isTaken = (/** @type {Cell} */ one) =>
    filled.some(
      (other) => other !== one && other.line === one.line && other.node.value.trim() === one.node.value.trim(),
    );
  cells.forEach((one) => one.node.setAttribute("aria-invalid", String(filled.includes(one) && isTaken(one))));
  const twice = filled.find(isTaken);
  if (twice) {
    twice.node.focus();
    place.textContent = t("agents.twice", { extension: twice.node.value.trim() });
    return;
  }
  const map = filled.map((one) => ({ user_id: Number(one.user), line_id: one.line, extension: one.node.value.trim() }));
  run(pressed, place, {
    t,
    work: async () => (await api.request("PUT", "/api/agents", { agents: map }), t("settings.saved")),
  });
}
