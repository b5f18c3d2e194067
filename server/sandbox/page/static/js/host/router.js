/** In-page navigation: history, links of class js-navigate-link, one navigation at a time. */
define(['jquery', 'host/places', 'host/watch/own_address'], function ($, places, ownAddress) {
  'use strict';

  let go = () => {};
  let last = '';

  const here = () => location.pathname + location.search;

  /** Backbone's contract: without `trigger` only the address changes. */
  function navigate(url, options = {}) {
    const target = new URL(ownAddress.home(url), location.href);
    if (target.origin !== location.origin) {
      location.assign(target.href);
      return;
    }
    const address = target.pathname + target.search;
    history[options.replace ? 'replaceState' : 'pushState']({}, '', address + target.hash);
    last = address;
    if (options.trigger) go(places.describe(address));
  }

  function follow(event) {
    const link = event.currentTarget;
    const url = link.getAttribute('href') || link.dataset.href || link.dataset.url;
    if (!url || event.ctrlKey || event.metaKey || event.shiftKey || event.button > 0 || link.target === '_blank')
      return;
    event.preventDefault();
    navigate(url, { trigger: true });
  }

  /** @param {(place: object) => void} onPlace called for the first page and for every navigation */
  function start(onPlace) {
    go = onPlace;
    last = here();
    $(document).on('click.host-router', '.js-navigate-link', follow);
    window.addEventListener('popstate', () => {
      if (here() === last) return; // only the hash moved
      last = here();
      go(places.describe(last));
    });
    go(places.describe(last));
  }

  return { start, navigate };
});
