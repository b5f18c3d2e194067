/** The module `twigjs`: Twig's exports as a callable, as amoCRM's wrapper gives it. */
define(['twig', 'underscore', 'host/templates'], function (Twig, _, templates) {
  'use strict';

  function twigjs(options) {
    if (options && options.ref) return { render: (params) => templates.render({ ref: options.ref }, params) };
    return Twig.twig(Object.assign({ allowInlineIncludes: true }, options));
  }

  return _.extend(twigjs, Twig);
});
