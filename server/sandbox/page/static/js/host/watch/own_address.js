/**
 * The account's address in amoCRM, https://<subdomain>.<domain>/…, which widgets write out in full: there it is the
 * page's own origin, so here it leads to this server. Among the watchers, for a stack must not end at its wrappers.
 */
define(['host/app', 'host/watch/patch'], function (app, patch) {
  'use strict';

  const DOMAIN = /^(amocrm\.(ru|com)|kommo\.com)$/;

  /** @returns {string | URL} the same address on this server, or the address as it was */
  function home(address) {
    const [, subdomain, domain, path] = /^https:\/\/([^./]+)\.([^/:]+)(\/.*)?$/.exec(String(address)) || [];
    const isOwn = subdomain === app.constant('account').subdomain && DOMAIN.test(domain);
    return isOwn ? location.origin + (path || '/') : address;
  }

  function bind() {
    patch.around(XMLHttpRequest.prototype, 'open', (original) => function (method, url, ...rest) {
      return original.call(this, method, home(url), ...rest);
    });
    patch.around(window, 'fetch', (original) => (input, ...rest) =>
      original.call(window, input instanceof Request ? input : home(input), ...rest),
    );
  }

  return { bind, home };
});
