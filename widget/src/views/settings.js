/** Our panel in amoCRM's settings window: the live check of the address, then lines, people and options. */

import { accountProblem, addressProblem, answerProblem, normalised } from "../server_check.js";
import { createTexts } from "../text.js";
import { agents } from "./agents.js";
import { fill, h, icon } from "./dom.js";
import { section } from "./form.js";
import { CHECK } from "./icons.js";
import { journal } from "./journal.js";
import { lines } from "./lines.js";
import { directory, options } from "./options.js";
import { problemView, wordsOf } from "./problem.js";
import { strangers } from "./strangers.js";

/** A check per pause in typing, not per key. */
const TYPING_MS = 500;

/**
 * @typedef {object} Page what the parts of the panel share
 * @property {import("../text.js").Texts} t
 * @property {string} lang
 * @property {import("../api.js").Api} api
 * @property {any} data the answer of GET /api/settings
 * @property {() => Record<string, string>} typed amoCRM's `users` field: user id → extension
 * @property {() => Promise<void>} reload
 */

/** @param {{host: import("../host.js").Host, onMoved: (url: string) => void}} options */
export function createSettings({ host, onMoved }) {
  const t = createTexts(host.texts, host.lang);
  const checks = h("ul", { class: "kmt-checks", "data-kmt": "checks", "aria-live": "polite" });
  const rest = h("div", { "data-kmt": "settings-body" });
  const root = h("div", { class: "kmt kmt-settings", "data-kmt": "settings" }, checks, rest);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  /** A slow answer to an older address must not overwrite the newer one's. */
  let round = 0;
  let unlisten = () => {};
  /** The parts that change by themselves while the window is open. */
  const [attention, progress] = [h("div", {}), h("div", {})];
  /** @type {{alerts: unknown, directory: unknown}} */
  let shown = { alerts: null, directory: null };

  /** @param {JQuery} $body */
  function show($body) {
    remove();
    const box = $body.find('[id$="_custom_content"]')[0];
    if (!box) return;
    root.dataset.theme = host.isDark() ? "dark" : "light";
    box.append(root);
    const field = /** @type {HTMLInputElement | undefined} */ ($body.find('input[name="backend_url"]')[0]);
    const typed = () => ({ ...host.extensions(), ...typedExtensions($body) });
    const examine = () => check(field ? field.value : host.backendUrl(), typed);
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(examine, TYPING_MS);
    };
    if (field) field.addEventListener("input", soon);
    unlisten = () => field && field.removeEventListener("input", soon);
    examine();
  }

  /**
   * @param {string} address
   * @param {() => Record<string, string>} typed
   */
  async function check(address, typed) {
    const mine = ++round;
    const isOld = () => mine !== round;
    fill(checks);
    fill(rest);
    const wrong = addressProblem(address);
    if (wrong) {
      if (address.trim()) row("address", wrong);
      else fill(rest, hint(t("settings.first_address")));
      return;
    }
    const url = normalised(address);
    const settle = row("answer", undefined);
    const silent = await answerProblem(url);
    if (isOld()) return;
    settle(silent);
    if (silent && silent.slug !== "cors-refused") return;
    if (host.isInstalled()) await checkAccount(url, typed, isOld);
    else fill(rest, hint(t("settings.first_install")));
  }

  /**
   * @param {string} url
   * @param {() => Record<string, string>} typed
   * @param {() => boolean} isOld
   */
  async function checkAccount(url, typed, isOld) {
    const settle = row("account", undefined);
    const { problem, api, session } = await accountProblem(url, host);
    if (isOld()) return;
    settle(problem);
    if (!session) return;
    if (session.agent.is_admin) await load(api, typed, isOld);
    else fill(rest, hint(t("settings.admins_only")), ownExtensions(session));
  }

  /**
   * @param {import("../api.js").Api} api
   * @param {() => Record<string, string>} typed
   * @param {() => boolean} isOld
   */
  async function load(api, typed, isOld) {
    try {
      const data = await api.request("GET", "/api/settings");
      if (isOld()) return;
      data.lines.sort((/** @type {any} */ one, /** @type {any} */ other) => one.name.localeCompare(other.name));
      const page = { t, lang: host.lang(), api, data, typed, reload: () => load(api, typed, isOld) };
      fill(attention, alerts(data.alerts || []));
      fill(progress, directory(data.directory, t));
      fill(rest, attention, journal(page), lines(page), agents(page), options(page), strangers(page), progress);
    } catch (error) {
      if (!isOld()) fill(rest, problemView(/** @type {any} */ (error).problem || { slug: "error" }, t));
    }
  }

  /**
   * One line of the check; the answer settles it.
   * @param {"address" | "answer" | "account"} name
   * @param {import("../vocabulary.js").Problem | null | undefined} problem undefined while it is asked
   */
  function row(name, problem) {
    const item = h("li", { "data-kmt": `check-${name}` });
    const settle = (/** @type {import("../vocabulary.js").Problem | null | undefined} */ found) => {
      item.dataset.kmtOk = found === undefined ? "" : String(!found);
      const label = t(`checks.${name}`);
      fill(item, found ? problemView(found, t) : [found === null ? icon(CHECK) : h("i", { class: "kmt-spin" }), label]);
    };
    settle(problem);
    checks.append(item);
    return settle;
  }

  /** @param {import("../vocabulary.js").AlertView[]} found */
  function alerts(found) {
    if (!found.length) return null;
    return section(
      t("settings.alerts"),
      "",
      h("div", { "data-kmt": "alerts" }, ...found.map((alert) => problemView(alert, t))),
    );
  }

  /** @param {import("../vocabulary.js").SessionAnswer} session */
  function ownExtensions({ agent, lines: connected }) {
    const own = connected
      .filter((line) => (agent.extensions || {})[line.id])
      .map((line) => `${line.name}: ${(agent.extensions || {})[line.id]}`);
    return hint(own.length ? t("settings.your_extension", { extension: own.join(", ") }) : t("settings.no_extension"));
  }

  function remove() {
    round++;
    clearTimeout(waiting);
    unlisten();
    root.remove();
  }

  return {
    show,
    remove,

    /** @param {import("../state.js").State} state */
    news(state) {
      if (!progress.isConnected || !state.agent) return;
      if (state.directory !== shown.directory) fill(progress, directory(state.directory, t));
      if (state.alerts !== shown.alerts) fill(attention, alerts(state.alerts));
      shown = state;
    },

    /**
     * amoCRM's question whether the settings may be saved.
     * @param {{active?: string, fields?: Record<string, string>}} change
     * @returns {Promise<boolean>}
     */
    async save({ active, fields = {} }) {
      if (active === "N") return true;
      const address = String(fields.backend_url === undefined ? host.backendUrl() : fields.backend_url);
      const wrong = addressProblem(address) || (await answerProblem(normalised(address)));
      if (wrong && wrong.slug !== "cors-refused") {
        fill(checks, h("li", { "data-kmt": "check-save", "data-kmt-ok": "false" }, problemView(wrong, t)));
        if (!root.isConnected) host.showError({ header: t("widget.name"), text: wordsOf(wrong, t).text });
        return false;
      }
      onMoved(address);
      return true;
    },
  };
}

/**
 * amoCRM's `users` field as it stands in the window, saved or not.
 * @param {JQuery} $body
 * @returns {Record<string, string>} user id → extension
 */
function typedExtensions($body) {
  const inputs = /** @type {HTMLInputElement[]} */ ($body.find('input[name^="extensions["]').get());
  return Object.fromEntries(
    inputs
      .filter(({ value }) => value.trim())
      .map(({ name, value }) => [name.slice("extensions[".length, -1), value.trim()]),
  );
}

/** @param {string} text */
const hint = (text) => h("p", { class: "kmt-hint" }, text);
