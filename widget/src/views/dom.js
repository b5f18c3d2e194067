/** Builds elements. Data becomes text nodes and attributes only, never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

/** Drawn for a field of 24 by 24, as lines. */
const ICONS = {
  phone: "M6.6 3.5 9 8 7 10a13 13 0 0 0 7 7l2-2 4.5 2.4V20a1.5 1.5 0 0 1-1.6 1.5A17 17 0 0 1 2.5 5.1 1.5 1.5 0 0 1 4 3.5z",
  incoming: "M20 4l-7 7m0-5v5h5M6 4.5 8.5 9 7 10.5a12 12 0 0 0 6.5 6.5L15 15.5l4.5 2.5v2.200A17 17 0 0 1 3.800 4.5z",
  outgoing: "M13 11l7-7m-5 0h5v5M6 4.5 8.5 9 7 10.5a12 12 0 0 0 6.5 6.5L15 15.5l4.5 2.5v2.200A17 17 0 0 1 3.800 4.5z",
  company: "M4 21V5h9v16M13 10h7v11M2.5 21h19M7.5 9h2m-2 4h2m-2 4h2m7-3h.01m-.01 3h.01",
  lead: "M4 7.5h16v12H4zM9 7.5V5h6v2.5M4 12.5h16",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0",
  close: "M6 6l12 12M18 6 6 18",
  fold: "M6 15h12",
  unfold: "M7 14l5-5 5 5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  alert: "M12 8v5m0 3.5v.01M12 3 2.5 20h19z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  play: "M8 5.5v13l10.5-6.5z",
  more: "M5.5 12h.01M12 12h.01m6.49 0h.01",
};

/**
 * @param {string} tag
 * @param {Record<string, any>} [props] `class`, `on` (listeners by event), the rest are attributes; true is an empty one,
 *   false, null and undefined are left out
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, ...attributes } = props;
  Object.keys(attributes).forEach((name) => setAttribute(element, name, attributes[name]));
  Object.keys(on).forEach((event) => element.addEventListener(event, on[event]));
  put(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {unknown} value
 */
function setAttribute(element, name, value) {
  if (value === true) element.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
}

/**
 * @param {Element} element
 * @param {(Child | Child[])[]} children
 */
function put(element, children) {
  children.forEach((child) => {
    if (Array.isArray(child)) put(element, child);
    else if (child !== null && child !== undefined && child !== false) element.append(child instanceof Node ? child : String(child));
  });
}

/**
 * Replaces what an element holds.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.textContent = "";
  put(element, children);
}

/**
 * A drawing; its meaning stands in words beside it or in the button's name.
 * @param {keyof typeof ICONS} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  Object.entries({ class: "kmt-icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }).forEach(([key, value]) =>
    svg.setAttribute(key, value),
  );
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * @param {string} label
 * @param {() => void} action
 * @param {Record<string, any>} [props]
 */
export function button(label, action, { kind = "plain", ...props } = {}) {
  return h("button", { type: "button", class: `kmt-button kmt-button-${kind}`, on: { click: action }, ...props }, label);
}

/**
 * A button of which only a drawing is seen.
 * @param {keyof typeof ICONS} drawing
 * @param {string} label
 * @param {() => void} action
 * @param {Record<string, any>} [props]
 */
export function iconButton(drawing, label, action, props = {}) {
  return h("button", { type: "button", class: "kmt-icon-button", "aria-label": label, title: label, on: { click: action }, ...props }, icon(drawing));
}

/**
 * A link inside amoCRM: moves without reloading; with a modifier key it opens a tab, as links do.
 * @param {string} label
 * @param {string} path
 * @param {(path: string) => void} go
 * @param {Record<string, any>} [props]
 */
export function link(label, path, go, props = {}) {
  const click = (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    go(path);
  };
  return h("a", { href: path, title: label, on: { click }, ...props }, label);
}
