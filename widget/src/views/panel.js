/**
 * The widget's own panel on the page: the state line and the cards, one below the other. It redraws only what changed,
 * keeps the focus where it was, moves the clocks, and tells screen readers what happened.
 */

import { duration } from "../text.js";
import { h } from "./dom.js";

/**
 * @typedef {object} Item
 * @property {string} key
 * @property {string} signature a new one means: draw anew
 * @property {() => HTMLElement} draw
 * @property {string} news what a screen reader says when it changes
 * @property {boolean} isUrgent
 */

/** The clocks on the cards show seconds. */
const TICK_MS = 1000;

/**
 * @param {object} options
 * @param {import("../text.js").Texts} options.t
 * @param {import("../host.js").Host} options.host
 * @param {() => number} options.serverS
 * @param {() => void} options.onTick some cards leave by time
 */
export function createPanel({ t, host, serverS, onTick }) {
  const stack = h("div", { class: "kmt-stack" });
  const polite = h("div", { class: "kmt-hidden", role: "status", "aria-live": "polite", "data-kmt": "polite" });
  const urgent = h("div", { class: "kmt-hidden", role: "alert", "aria-live": "assertive", "data-kmt": "urgent" });
  const root = h(
    "div",
    { class: "kmt kmt-panel", role: "region", "aria-label": t("widget.name"), "data-kmt": "panel" },
    stack,
    polite,
    urgent,
  );
  /** @type {Map<string, {node: HTMLElement, signature: string, news: string}>} */
  const drawn = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let ticking;

  function tick() {
    onTick();
    stack.querySelectorAll("[data-kmt-since]").forEach((clock) => {
      clock.textContent = duration(serverS() - Number(clock.getAttribute("data-kmt-since")));
    });
  }

  /** @param {boolean} on */
  function run(on) {
    if (on && !ticking) ticking = setInterval(tick, TICK_MS);
    if (!on) {
      clearInterval(ticking);
      ticking = undefined;
    }
  }

  /** @param {Item} item */
  function drawItem(item) {
    const old = drawn.get(item.key);
    if (old && old.signature === item.signature) return;
    const node = item.draw();
    if (old) replaceKeepingFocus(old.node, node);
    else stack.append(node);
    if (!old || old.news !== item.news) (item.isUrgent ? urgent : polite).textContent = item.news;
    drawn.set(item.key, { node, signature: item.signature, news: item.news });
  }

  /** @param {Item[]} items */
  function order(items) {
    items.forEach((item, index) => {
      const { node } = /** @type {{node: HTMLElement}} */ (drawn.get(item.key));
      if (stack.children[index] !== node) stack.insertBefore(node, stack.children[index] || null);
    });
  }

  return {
    /** @param {Item[]} items */
    paint(items) {
      if (items.length && !root.isConnected) document.body.append(root);
      root.dataset.theme = host.isDark() ? "dark" : "light";
      const { right, bottom } = host.margins();
      root.style.setProperty("--kmt-right", `${right}px`);
      root.style.setProperty("--kmt-bottom", `${bottom}px`);
      [...drawn.keys()]
        .filter((key) => !items.some((item) => item.key === key))
        .forEach((key) => {
          /** @type {{node: HTMLElement}} */ (drawn.get(key)).node.remove();
          drawn.delete(key);
        });
      items.forEach(drawItem);
      order(items);
      run(items.length > 0);
    },

    remove() {
      run(false);
      drawn.clear();
      stack.textContent = "";
      root.remove();
    },
  };
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} node
 */
function replaceKeepingFocus(old, node) {
  const focused = old.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  const [hook, way] = focused ? [focused.dataset.kmt, focused.dataset.kmtWay] : [];
  const typed = focused instanceof HTMLInputElement ? focused.value : null;
  node.classList.add("kmt-still");
  old.replaceWith(node);
  if (!focused) return;
  const same = [...node.querySelectorAll("[data-kmt]")].find(
    (one) => one instanceof HTMLElement && one.dataset.kmt === hook && one.dataset.kmtWay === way,
  );
  const target = /** @type {HTMLElement | null} */ (same || node.querySelector("button, a"));
  if (target instanceof HTMLInputElement && typed !== null) target.value = typed;
  if (target) target.focus();
}
