/** The host's own icons, from one sprite embedded in the page. */
define(['host/html'], function (html) {
  'use strict';

  return (name, className = '') =>
    html`<svg class="svg-icon ${className}" aria-hidden="true"><use href="#icon-${name}"></use></svg>`;
});
