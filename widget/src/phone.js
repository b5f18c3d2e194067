/** Phone numbers as people read them, and when two of them are the same. Of numbering plans it knows how to group. */

/** Country code → how its national digits are grouped. */
const GROUPS = {
  7: [3, 3, 2, 2],
  1: [3, 3, 4],
  375: [2, 3, 2, 2],
  380: [2, 3, 2, 2],
  998: [2, 3, 2, 2],
  996: [3, 2, 2, 2],
  995: [3, 2, 2, 2],
  374: [2, 2, 2, 2],
};

/** @param {string} text */
export function digits(text) {
  return text.replace(/\D/g, "");
}

/**
 * `+79123456789` → `+7 912 345-67-89`; a short number, and a country without groups of its own, stay as they are.
 * @param {string} phone E.164, or as somebody typed a Russian number
 */
export function pretty(phone) {
  const all = digits(phone).replace(/^8(?=\d{10}$)/, "7");
  if (phone[0] !== "+" && !/^7\d{10}$/.test(all)) return phone;
  const code = [all.slice(0, 3), all[0]].find((prefix) => prefix in GROUPS);
  const groups = code ? GROUPS[/** @type {keyof typeof GROUPS} */ (/** @type {unknown} */ (code))] : [];
  const national = code ? all.slice(code.length) : "";
  if (!code || national.length !== groups.reduce((sum, size) => sum + size, 0)) return phone;
  return `+${code} ${grouped(national, groups)}`;
}

/**
 * The first two groups stand apart by a space, the rest by hyphens, as people write numbers.
 * @param {string} national
 * @param {number[]} groups
 */
function grouped(national, groups) {
  let from = 0;
  return groups
    .map((size, index) => {
      const part = national.slice(from, from + size);
      from += size;
      return (index === 0 ? "" : index === 1 ? " " : "-") + part;
    })
    .join("");
}

/**
 * Whether two writings mean one number: the last ten digits decide, as amoCRM matches calls.
 * @param {string} one
 * @param {string} other
 */
export function isSame(one, other) {
  return digits(one).slice(-10) === digits(other).slice(-10);
}
