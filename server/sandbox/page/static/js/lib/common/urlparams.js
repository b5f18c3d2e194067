/** The parameters of the page's address. */
define([], function () {
  'use strict';

  const all = () => Object.fromEntries(new URLSearchParams(location.search));

  return { get: (name) => (name === undefined ? all() : all()[name]), getAll: all };
});
