/** Small functions widgets borrow from the host. */
define(['host/html', 'host/phone'], function (html, phone) {
  'use strict';

  return {
    escapeHTML: (text) => html.escape(text === null || text === undefined ? '' : text),
    formatPhone: phone.format,
    numeral: (count, [one, few, many]) => {
      const tail = count % 100;
      if (tail > 10 && tail < 20) return many;
      if (count % 10 === 1) return one;
      return count % 10 > 1 && count % 10 < 5 ? few : many;
    },
  };
});
