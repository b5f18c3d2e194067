/** Requests that widgets make: whose they are, how they end, and whether they come in loops or hold the page up. */
define([
  'host/trace',
  'host/widget',
  'host/watch/owner',
  'host/watch/patch',
  'host/watch/findings',
], function (trace, widget, owner, patch, findings) {
  'use strict';

  const { around, made } = patch;
  const HOSTS = /\/(ajax\/page|frontend)\//; // the host's own traffic is nobody's business
  const API = /^\/(api\/v\d|private\/api|ajax\/(?!one-time-token))/; // that one is counted as $authorizedAjax
  const BURST = 5; // from one line of code within BURST_MS: a loop, or what looks like one to amoCRM's limits
  const BURST_MS = 1000;
  const HEADER = 'X-Sandbox-Widget'; // tells the log of the server whose request it is
  const times = new Map(); // way through the widget's code → when it last asked

  /** Null for what is no address: the browser says so itself. */
  const address = (url) => {
    try {
      return new URL(String(url), location.href);
    } catch (error) {
      return null;
    }
  };
  const isOwn = (url) => url.origin === location.origin;

  function counted(who, what) {
    const now = performance.now();
    const lately = (times.get(who.chain) || []).filter((one) => now - one < BURST_MS).concat(now);
    times.set(who.chain, lately);
    if (lately.length >= BURST) findings.rule('loop', Object.assign({ more: what }, who));
  }

  function asked(method, url) {
    const who = url && !HOSTS.test(url.pathname) && owner.any();
    if (!who) return null;
    if (isOwn(url) && API.test(url.pathname)) counted(who, url.pathname);
    const began = performance.now();
    const { widget, where } = who;
    return {
      widget,
      end(status) {
        const ms = Math.round(performance.now() - began);
        const facts = { widget, where, method, url: isOwn(url) ? url.pathname + url.search : url.href, status, ms };
        // The sandbox's own server has written its requests down itself.
        if (isOwn(url)) trace.show('request', facts);
        else trace.record('request', facts);
      },
    };
  }

  function watchXhr() {
    const opened = new WeakMap();
    around(XMLHttpRequest.prototype, 'open', (original) => function (method, url, ...rest) {
      original.call(this, method, url, ...rest);
      opened.set(this, { method, url: address(url) });
      const who = rest[0] === false && owner.direct();
      if (who) findings.rule('sync', Object.assign({ more: address(url).pathname }, who));
    });
    around(XMLHttpRequest.prototype, 'send', (original) => function (body) {
      const { method, url } = opened.get(this) || {};
      const request = asked(method, url);
      if (request) {
        if (isOwn(url)) this.setRequestHeader(HEADER, request.widget);
        this.addEventListener('loadend', () => request.end(this.status || 'failed'));
      }
      original.call(this, body);
    });
  }

  function watchFetch() {
    around(window, 'fetch', (original) => (input, init) => {
      const url = address(input instanceof Request ? input.url : input);
      const request = asked((init && init.method) || (input && input.method) || 'GET', url);
      if (!request) return original.call(window, input, init);
      const headers = new Headers((init && init.headers) || input.headers);
      if (isOwn(url)) headers.set(HEADER, request.widget);
      const answer = original.call(window, input, Object.assign({}, init, { headers }));
      answer.then(
        (response) => request.end(response.status),
        () => request.end('failed'),
      );
      return answer;
    });
  }

  function watchBeacons() {
    around(navigator, 'sendBeacon', (original) => (url, data) => {
      const request = asked('BEACON', address(url));
      const isQueued = original.call(navigator, url, data);
      if (request) request.end(isQueued ? 'queued' : 'failed');
      return isQueued;
    });
  }

  function watchSockets() {
    ['WebSocket', 'EventSource'].forEach((method) =>
      made(method, (socket, [target]) => {
        const url = address(target);
        const who = url && !HOSTS.test(url.pathname) && owner.any();
        if (!who) return;
        const { widget, where } = who;
        ['open', 'error', 'close'].forEach((event) =>
          socket.addEventListener(event, () => trace.record('socket', { widget, where, method, url: url.href, event })),
        );
      }),
    );
  }

  /** Both are queued or asynchronous: the loop is seen only here, where they are called. */
  function watchSdk() {
    ['crm_post', '$authorizedAjax'].forEach((name) =>
      around(widget.base, name, (original) => function (...args) {
        const who = owner.any();
        if (who) counted(who, name);
        return original.apply(this, args);
      }),
    );
  }

  /** Scripts, styles and pictures the browser fetches by itself; a widget's own file tells whose it is. */
  function watchFiles() {
    const shown = ['script', 'link', 'img', 'css', 'audio', 'video', 'iframe'];
    new PerformanceObserver((list) =>
      list.getEntries().forEach((one) => {
        const url = address(one.name);
        if (!shown.includes(one.initiatorType) || HOSTS.test(url.pathname)) return;
        trace.show('request', {
          widget: (owner.read(`${one.name}:1:1`) || { widget: null }).widget,
          method: one.initiatorType,
          url: isOwn(url) ? url.pathname + url.search : url.href,
          status: one.responseStatus || '',
          ms: Math.round(one.duration),
        });
      }),
    ).observe({ type: 'resource', buffered: true });
  }

  function watch() {
    [watchXhr, watchFetch, watchBeacons, watchSockets, watchSdk, watchFiles].forEach((start) => start());
  }

  return { watch };
});
