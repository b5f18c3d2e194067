/** Cookies by name: get, set (days), remove. */
define([], function () {
  'use strict';

  const DAY_S = 24 * 60 * 60;

  function get(name) {
    const found = document.cookie.split('; ').find((pair) => pair.startsWith(`${encodeURIComponent(name)}=`));
    return found === undefined ? undefined : decodeURIComponent(found.slice(found.indexOf('=') + 1));
  }

  function set(name, value, days = 365) {
    const age = Math.round(days * DAY_S);
    document.cookie = `${encodeURIComponent(name)}=${encodeURIComponent(value)}; path=/; max-age=${age}; samesite=lax`;
  }

  return { get, set, remove: (name) => set(name, '', 0) };
});
