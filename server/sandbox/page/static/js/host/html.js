/** Markup with escaping by default: html`<b>${text}</b>`. Values are escaped unless they are markup themselves. */
define([], function () {
  'use strict';

  const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

  class Markup {
    constructor(text) {
      this.text = text;
    }

    toString() {
      return this.text;
    }
  }

  const escape = (text) => String(text).replace(/[&<>"']/g, (char) => ENTITIES[char]);

  function show(value) {
    if (value instanceof Markup) return value.text;
    if (Array.isArray(value)) return value.map(show).join('');
    return value === null || value === undefined || value === false ? '' : escape(value);
  }

  function html(parts, ...values) {
    return new Markup(parts.reduce((text, part, index) => text + show(values[index - 1]) + part));
  }

  /** Trusted markup: widgets' own bodies and notification texts, which amoCRM shows as HTML too. */
  html.raw = (text) => new Markup(text === null || text === undefined ? '' : String(text));
  html.escape = escape;
  return html;
});
