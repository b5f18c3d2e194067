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
    map: { '*': boot.aliases },
    shim: { steady: { exports: 'Steady' } }, // the only vendor file that is no module
    waitSeconds: 45,
    urlArgs: (id, url) => (url.startsWith('/frontend/js/') ? `?v=${boot.constants.version}` : ''),
  });
  window.requirejs(['jquery', 'underscore', 'backbone', 'moment'], function ($, _, Backbone, moment) {
    Object.assign(window, { $, jQuery: $, _, Backbone, moment });
    moment.locale(boot.lang);
    window.requirejs(['host/main'], (main) => main.start());
  });
})();
