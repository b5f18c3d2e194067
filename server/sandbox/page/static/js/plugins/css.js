/** css!url: attaches a style sheet once. */
define([], function () {
  'use strict';

  return {
    load(name, require, done) {
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = require.toUrl(/\.css(\?|$)/.test(name) ? name : `${name}.css`);
      link.onload = () => done(link);
      link.onerror = () => done.error(new Error(`${name}: style sheet not found`));
      document.head.appendChild(link);
    },
  };
});
