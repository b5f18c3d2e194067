/** Builds elements. Data becomes text nodes and attributes only, never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

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
    else if (child !== null && child !== undefined && child !== false)
      element.append(child instanceof Node ? child : String(child));
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
 * @param {string} drawing one of icons.js
 */
export function icon(drawing) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  Object.entries({ class: "kmt-icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }).forEach(
    ([key, value]) => svg.setAttribute(key, value),
  );
  path.setAttribute("d", drawing);
  svg.append(path);
  return svg;
}

/**
 * @param {string} label
 * @param {() => void} action
 * @param {Record<string, any>} [props]
 */
export function button(label, action, { kind = "plain", ...props } = {}) {
  return h(
    "button",
    { type: "button", class: `kmt-button kmt-button-${kind}`, on: { click: action }, ...props },
    label,
  );
}

/**
 * A button of which only a drawing is seen.
 * @param {string} drawing
 * @param {string} label
 * @param {() => void} action
 * @param {Record<string, any>} [props]
 */
export function iconButton(drawing, label, action, props = {}) {
  return h(
    "button",
    { type: "button", class: "kmt-icon-button", "aria-label": label, title: label, on: { click: action }, ...props },
    icon(drawing),
  );
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
