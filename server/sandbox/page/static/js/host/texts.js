/** The host's own words in the user's language; the server embeds the table. */
define([], function () {
  'use strict';

  const table = window.SANDBOX_BOOT.texts;

  /** @returns {string} the text, with {name} replaced from `values`; the key itself when nobody wrote it. */
  return function text(key, values) {
    const found = key in table ? table[key] : key;
    return values ? found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole)) : found;
  };
});
