/** Everything that watches widgets, put in place before the first of them is loaded. */
define([
  'host/watch/leaks',
  'host/watch/inserts',
  'host/watch/requests',
  'host/watch/rules',
  'host/watch/look',
  'host/watch/reload',
], function (leaks, inserts, requests, rules, look, reload) {
  'use strict';

  return { watch: () => [leaks, inserts, requests, rules, look, reload].forEach((room) => room.watch()) };
});
