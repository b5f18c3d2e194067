/** What a widget did against the rules of moderation, and what it left behind: each place is told once per page. */
define(['host/trace', 'host/texts'], function (trace, text) {
  'use strict';

  const told = new Set();

  function tell(name, kind, { widget, where, more, values }) {
    // Of foreign code both the page and the browser tell, only one of them with a line.
    const key = [name, kind, widget, kind === 'foreign' ? more : where || more].join(' ');
    if (!widget || told.has(key)) return;
    told.add(key);
    trace.record('callback', {
      name,
      [name]: kind,
      widget,
      where: where || '',
      message: text(`${name}.${kind}`, Object.assign({ more: more || '' }, values)),
      cure: text(`${name}.${kind}.cure`),
    });
  }

  return {
    /** A breach of a rule of moderation. */
    rule: (kind, facts) => tell('rule', kind, facts),
    /** Something that outlived its widget. */
    leak: (kind, facts) => tell('leak', kind, facts),
  };
});
