/** Pieces of our settings: sections, labelled fields, buttons that wait for the backend and say how it went. */

import { problemOf } from "../api.js";
import { button, fill, h, icon, iconButton } from "./dom.js";
import { CHECK, COPY } from "./icons.js";
import { problemView } from "./problem.js";

/** @typedef {import("../text.js").Texts} Texts */

/** How long "copied" is to be read. */
const COPIED_MS = 1500;

/**
 * @param {string} title
 * @param {string} hint
 * @param {...import("./dom.js").Child} children
 */
export function section(title, hint, ...children) {
  return h(
    "div",
    { class: "kmt-section" },
    h("h2", {}, title),
    hint && h("p", { class: "kmt-hint" }, hint),
    ...children,
  );
}

/**
 * @param {string} label
 * @param {HTMLElement} input
 * @param {string} [hint]
 */
export function labelled(label, input, hint = "") {
  return h("label", { class: "kmt-field" }, h("span", {}, label), input, hint && h("small", {}, hint));
}

/**
 * @param {Record<string, any>} props
 * @returns {HTMLInputElement}
 */
export function input(props) {
  // The page's own form must not take our fields for its own: they have no name.
  return /** @type {HTMLInputElement} */ (
    h("input", { type: "text", class: "kmt-input", autocomplete: "off", spellcheck: "false", ...props })
  );
}

/**
 * @param {{value: string, label: string}[]} options
 * @param {Record<string, any>} props
 * @returns {HTMLSelectElement}
 */
export function select(options, props) {
  return /** @type {HTMLSelectElement} */ (
    h("select", { class: "kmt-input", ...props }, ...options.map(({ value, label }) => h("option", { value }, label)))
  );
}

/** A place beside a button that says what became of it. */
export function outcome() {
  return h("div", { class: "kmt-outcome", role: "status" });
}

/**
 * Runs what a button asks for: the button waits, the outcome tells.
 * @param {HTMLElement} pressed
 * @param {HTMLElement} place
 * @param {{t: Texts, work: () => Promise<unknown>}} options `work` answers with the words of success
 */
export async function run(pressed, place, { t, work }) {
  pressed.setAttribute("disabled", "");
  fill(place, h("span", { class: "kmt-note" }, t("settings.waiting")));
  try {
    const words = await work();
    fill(place, typeof words === "string" && h("span", { class: "kmt-good" }, icon(CHECK), words));
  } catch (error) {
    fill(place, problemView(problemOf(error), t));
  } finally {
    pressed.removeAttribute("disabled");
  }
}

/**
 * A text to take along to another window.
 * @param {string} text
 * @param {Texts} t
 */
export function copyable(text, t) {
  const field = input({
    value: text,
    readonly: true,
    "aria-label": t("lines.address"),
    "data-kmt": "hook-url",
    on: { focus: () => field.select() },
  });
  const copy = iconButton(COPY, t("settings.copy"), async () => {
    field.select();
    // The clipboard is closed on insecure origins: the text is selected then, and Ctrl+C does it.
    await navigator.clipboard.writeText(text).then(
      () => copied(copy),
      () => undefined,
    );
  });
  return h("div", { class: "kmt-pair" }, field, copy);
}

/** @param {HTMLElement} pressed */
function copied(pressed) {
  fill(pressed, icon(CHECK));
  setTimeout(() => fill(pressed, icon(COPY)), COPIED_MS);
}

/**
 * A button for what cannot be undone: the first press only asks.
 * @param {string} label
 * @param {string} question
 * @param {() => void} action
 * @param {Record<string, any>} [props]
 */
export function careful(label, question, action, props = {}) {
  let isAsked = false;
  const pressed = button(label, press, props);
  pressed.addEventListener("blur", () => set(false));

  /** @param {boolean} on */
  function set(on) {
    isAsked = on;
    pressed.textContent = on ? question : label;
    pressed.classList.toggle("kmt-button-danger", on);
  }

  function press() {
    if (isAsked) action();
    set(!isAsked);
  }
  return pressed;
}
