/** How numbers look and compare. Pure. */
define([], function () {
  'use strict';

  const digits = (text) => String(text || '').replace(/\D/g, '');

  /** Russian numbers in groups, everything else as typed. */
  function format(text) {
    const match = /^[78](\d{3})(\d{3})(\d{2})(\d{2})$/.exec(digits(text));
    return match ? `+7 ${match[1]} ${match[2]}-${match[3]}-${match[4]}` : String(text || '');
  }

  return { digits, format };
});
