/** The words on the screen, by key, in the host's language. The words themselves live in i18n/. */

/**
 * @typedef {((key: string, values?: Record<string, string | number>) => string) & {has: (key: string) => boolean}} Texts
 */

/**
 * A text may hold `{places}` and, separated by `|`, its plural forms: Russian one|few|many, English one|other. The place
 * `n` chooses the form.
 * @param {() => unknown} tree the host's language object, read anew each time: it is attached after the constructor
 * @param {() => string} lang
 * @returns {Texts}
 */
export function createTexts(tree, lang) {
  /** @param {string} key */
  const find = (key) =>
    key.split(".").reduce((part, name) => (part ? /** @type {any} */ (part)[name] : undefined), tree());

  /** @type {Texts} */
  const t = Object.assign(
    (/** @type {string} */ key, /** @type {Record<string, string | number>} */ values = {}) => {
      const found = find(key);
      if (typeof found !== "string") return key;
      const form = "n" in values ? plural(found, Number(values.n), lang()) : found;
      return form.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
    },
    { has: (/** @type {string} */ key) => typeof find(key) === "string" },
  );
  return t;
}

/**
 * @param {string} text
 * @param {number} n
 * @param {string} lang
 */
function plural(text, n, lang) {
  const forms = text.split("|");
  const order = lang === "ru" ? ["one", "few", "many"] : ["one", "other"];
  const index = order.indexOf(new Intl.PluralRules(lang).select(n));
  return forms[index] || forms[forms.length - 1];
}

/**
 * Seconds as a clock shows them: `0:07`, `12:34`, `1:02:03`.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
