/** First script of the page: configures RequireJS from what the server embedded, then starts the host. */
(function () {
  'use strict';

  const boot = JSON.parse(document.getElementById('boot').textContent);
  window.SANDBOX_BOOT = boot;
  const paths = Object.assign({}, boot.vendor, { twigjs: 'host/twigjs' });
  ['text', 'json', 'css', 'optional'].forEach((plugin) => {
    paths[plugin] = `plugins/${plugin}`;
  });
  window.requirejs.config({
    baseUrl: '/frontend/js/',
    paths,
    map: { '*': boot.aliases }, // widgets also ask for 'vendor/backbone': it must be the same module
    shim: { steady: { exports: 'Steady' } }, // the only vendor file that is no module
    waitSeconds: 45,
    urlArgs: (id, url) => (url.startsWith('/frontend/js/') ? `?v=${boot.constants.version}` : ''),
  });
  window.requirejs(['jquery', 'underscore', 'backbone', 'moment'], function ($, _, Backbone, moment) {
    Object.assign(window, { $, jQuery: $, _, Backbone, moment });
    moment.locale(boot.lang);
    // The modules of the second list are there for widgets that call require('twigjs') without waiting.
    window.requirejs(['host/main', 'twigjs', 'lib/components/base/modal'], (main) => main.start());
  });
})();
