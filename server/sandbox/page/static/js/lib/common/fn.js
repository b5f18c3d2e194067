/** Small functions widgets borrow from the host. */
define(['host/html'], function (html) {
  'use strict';

  return { escapeHTML: (text) => html.escape(text === null || text === undefined ? '' : text) };
});
