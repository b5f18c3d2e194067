/** How this agent can call out: what the lines can do and what the account has set up. Pure. */

import { Capability, DialWay } from "./vocabulary.js";

/**
 * @typedef {object} Way
 * @property {string} id
 * @property {string} name of the scheme, or of the line where there are several
 * @property {DialWay} way
 * @property {string} line
 * @property {string} [scheme]
 * @property {boolean} [client_first]
 */

/**
 * @param {import("./state.js").State} state
 * @returns {Way[]} the usual one first
 */
export function waysOf({ agent, lines }) {
  const extensions = (agent && agent.extensions) || {};
  const several = lines.length > 1;
  return lines.flatMap((line) => {
    const can = new Set(line.capabilities || []);
    const hasExtension = Boolean(extensions[line.id]);
    const name = several ? line.name : "";
    /** @type {Way[]} */
    const ways = [];
    const add = (/** @type {DialWay} */ way, more = {}) =>
      ways.push({ id: [line.id, way, ...Object.values(more)].join("."), line: line.id, way, name, ...more });
    if (hasExtension && can.has(Capability.DIAL_NUMBER)) add(DialWay.NUMBER);
    if (hasExtension && can.has(Capability.CLIENT_FIRST)) add(DialWay.NUMBER, { client_first: true });
    if (hasExtension && can.has(Capability.DIAL_SCHEME)) {
      Object.entries(line.schemes || {}).forEach(([scheme, title]) => add(DialWay.SCHEME, { scheme, name: title }));
    }
    if (can.has(Capability.DIAL_EXTERNAL)) add(DialWay.EXTERNAL);
    return ways;
  });
}

/**
 * The fields of a dial request that say how.
 * @param {Way} way
 * @param {string} fromPhone where an external call begins
 */
export function asRequest({ way, line, scheme, client_first: clientFirst }, fromPhone) {
  return {
    way,
    line,
    ...(scheme ? { scheme } : {}),
    ...(clientFirst ? { client_first: true } : {}),
    ...(way === DialWay.EXTERNAL ? { from_phone: fromPhone } : {}),
  };
}
