/** What widgets open and must close again in `destroy`: listeners, timers, sockets, elements, style sheets. */
define(['jquery', 'host/trace', 'host/watch/owner', 'host/watch/patch', 'host/watch/findings'], function (
  $,
  trace,
  owner,
  patch,
  findings,
) {
  'use strict';

  const { around, made } = patch;
  const LONG_MS = 1000; // a shorter one-shot timer ends before anybody misses its widget
  const PASSING = '#page_holder, .modal'; // go with the area, and everything in them
  const opened = new Set(); // {widget, where, kind, more, isOpen()}
  const ROOM = 500;
  let room = ROOM; // a widget that opens and closes all day is looked through each time the set has doubled
  let binding = false; // jQuery is adding its own listener: the handler is noted, not the dispatcher

  function note(kind, who, more, isOpen) {
    if (opened.size >= room) {
      opened.forEach((one) => one.isOpen() || opened.delete(one));
      room = Math.max(ROOM, 2 * opened.size);
    }
    const record = Object.assign({ kind, more, isOpen }, who);
    opened.add(record);
    return record;
  }

  const nameOf = (target) => {
    if (target === window) return 'window';
    if (target === document) return 'document';
    return target.nodeName.toLowerCase() + (target.id ? `#${target.id}` : '');
  };

  /** Whether the target is there on the next page, too. */
  const lasts = (target) =>
    target === window ||
    target === document ||
    (target instanceof Element && target.isConnected && !target.closest(PASSING));

  function watchJquery() {
    around($.event, 'add', (original) => (target, types, handler, ...rest) => {
      binding = true;
      try {
        original.call($.event, target, types, handler, ...rest);
      } finally {
        binding = false;
      }
      const who = lasts(target) && owner.direct();
      if (!who) return;
      const { guid } = handler.handler || handler;
      String(types).split(/\s+/).filter(Boolean).forEach((type) => {
        const name = type.split('.')[0];
        const isThere = (one) => one.guid === guid && one.origType === name;
        note('listener', who, `${nameOf(target)}: ${type}`, () =>
          Object.values($._data(target, 'events') || {}).some((list) => list.some(isThere)),
        );
      });
    });
  }

  const isCapture = (options) => Boolean(options && typeof options === 'object' ? options.capture : options);

  function watchNative() {
    const known = new WeakMap(); // target → records
    around(EventTarget.prototype, 'addEventListener', (original) => function (type, listener, options) {
      original.call(this, type, listener, options);
      const target = this || window;
      const who = !binding && listener && lasts(target) && owner.direct();
      if (!who) return;
      const record = note('listener', who, `${nameOf(target)}: ${type}`, () => lasts(target));
      Object.assign(record, { type, listener, capture: isCapture(options) });
      known.set(target, (known.get(target) || []).concat(record));
      if (options && options.signal) options.signal.addEventListener('abort', () => opened.delete(record));
      if (options && options.once) original.call(target, type, () => opened.delete(record), options);
    });
    around(EventTarget.prototype, 'removeEventListener', (original) => function (type, listener, options) {
      original.call(this, type, listener, options);
      const target = this || window;
      const isIt = (one) => one.type === type && one.listener === listener && one.capture === isCapture(options);
      (known.get(target) || []).filter(isIt).forEach((record) => opened.delete(record));
    });
  }

  function watchTimers() {
    const waiting = new Map(); // id → record
    const forget = (id) => {
      opened.delete(waiting.get(id));
      waiting.delete(id);
    };
    const start = (name, isOneShot) => (original) => (action, delay, ...args) => {
      const who = typeof action === 'function' && owner.any();
      if (!who) return original.call(window, action, delay, ...args);
      const id = original.call(window, run, delay, ...args);
      function run(...given) {
        if (isOneShot) forget(id);
        return owner.as(who.widget, () => action.apply(window, given)); // what it does is the widget's doing
      }
      const direct = owner.direct();
      if (direct && (!isOneShot || delay >= LONG_MS))
        waiting.set(id, note('timer', direct, `${name}(…, ${delay || 0})`, () => waiting.has(id)));
      return id;
    };
    around(window, 'setInterval', start('setInterval', false));
    around(window, 'setTimeout', start('setTimeout', true));
    ['clearInterval', 'clearTimeout'].forEach((name) =>
      around(window, name, (original) => (id) => {
        forget(id);
        original.call(window, id);
      }),
    );
  }

  function watchSockets() {
    const CLOSING = 2; // WebSocket's number; EventSource calls closed the same
    ['WebSocket', 'EventSource'].forEach((name) =>
      made(name, (socket, [url]) => {
        const who = owner.direct();
        if (who) note('socket', who, `${name} ${url}`, () => socket.readyState < CLOSING);
      }),
    );
  }

  /** Told by `inserts`: an element that a widget put outside the page's own area. */
  function element(node, who) {
    const isStyle = node.matches('style, link[rel=stylesheet]');
    note(isStyle ? 'style' : 'element', who, isStyle && node.href ? node.getAttribute('href') : nameOf(node), () =>
      lasts(node),
    );
  }

  /** What a widget has open when it ends, and still has a turn later, is left behind. */
  function check(code) {
    const own = [...opened].filter((one) => one.widget === code);
    own.forEach((one) => opened.delete(one));
    Promise.resolve()
      .then(() => {}) // a turn for what an asynchronous destroy closes
      .then(() => own.filter((one) => one.isOpen()).forEach((one) => findings.leak(one.kind, one)));
  }

  function watch() {
    [watchJquery, watchNative, watchTimers, watchSockets].forEach((start) => start());
    trace.onEnd(check);
  }

  return { watch, element };
});
