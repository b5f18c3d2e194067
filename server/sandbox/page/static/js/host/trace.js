/** What the page saw, in order: shown by the developer bar and sent to /sandbox/log. */
define(['host/watch/owner'], function (owner) {
  'use strict';

  const BATCH_MS = 40; // one request for what one turn of the page records
  const listeners = new Set();
  const endings = new Set();
  let waiting = [];
  let timer = null;
  let sending = Promise.resolve();
  let order = 0;

  /** For the developer bar alone: the server knows it already. */
  function show(kind, facts) {
    const entry = Object.assign({ at: Date.now() / 1000, kind, page: location.pathname + location.search }, facts);
    listeners.forEach((listener) => listener(entry));
    return entry;
  }

  function record(kind, facts) {
    const entry = show(kind, facts);
    waiting.push(entry);
    if (timer === null) timer = setTimeout(flush, BATCH_MS);
    return entry;
  }

  /** Sends what is waiting; resolves when the server has it. A lost batch is lost: the page must live on. */
  function flush() {
    clearTimeout(timer);
    timer = null;
    const entries = waiting;
    waiting = [];
    if (entries.length) sending = sending.then(() => send(entries));
    return sending;
  }

  function send(entries) {
    const body = JSON.stringify(entries);
    // Browsers refuse keepalive bodies over 64 KB.
    const keepalive = body.length < 60000;
    return fetch('/ajax/page/trace', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
      keepalive,
    }).then(
      () => undefined,
      () => undefined,
    );
  }

  function plain(value, depth = 0) {
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
    if (value === undefined) return undefined;
    if (typeof value === 'function') return '[function]';
    if (value.jquery) return `[jQuery × ${value.length}]`;
    if (value instanceof Node) return `[${value.nodeName.toLowerCase()}]`;
    if (depth > 4) return '[…]';
    if (Array.isArray(value)) return value.slice(0, 50).map((item) => plain(item, depth + 1));
    if (typeof value.toJSON === 'function') return plain(value.toJSON(), depth + 1);
    return Object.fromEntries(
      Object.keys(value)
        .slice(0, 60)
        .map((key) => [key, plain(value[key], depth + 1)]),
    );
  }

  const isThenable = (value) => Boolean(value) && typeof value.then === 'function';

  function describe(value) {
    if (isThenable(value)) return 'promise';
    const type = typeof value;
    return type === 'object' || type === 'function' ? (value === null ? 'null' : type) : String(value);
  }

  function error(widget, where, problem) {
    const message = (problem && (problem.message || problem.responseText)) || String(problem);
    record('error', {
      widget,
      name: where,
      message: String(message).slice(0, 1000),
      stack: String((problem && problem.stack) || '').slice(0, 2000),
    });
  }

  /**
   * Runs a widget's callback: whatever it throws is recorded, never passed on.
   * @returns {{value: *, failed: boolean}}
   */
  function run(widget, callback, action, args = []) {
    const facts = { widget, name: callback, order: ++order, args: plain(args) };
    const began = performance.now();
    const spent = () => Math.round((performance.now() - began) * 10) / 10;
    try {
      const value = owner.as(widget, action);
      record('callback', Object.assign(facts, { ms: spent(), returned: describe(value) }));
      return { value, failed: false };
    } catch (problem) {
      record('callback', Object.assign(facts, { ms: spent(), error: String((problem && problem.message) || problem) }));
      error(widget, callback, problem);
      return { value: undefined, failed: true };
    }
  }

  function watch() {
    const whose = (text) => (owner.read(text) || { widget: null }).widget;
    window.addEventListener('error', (event) => {
      const problem = event.error || event;
      error(whose(`${problem.stack || ''} ${event.filename}:${event.lineno}:${event.colno}`), 'page', problem);
    });
    window.addEventListener('unhandledrejection', (event) => {
      error(whose(event.reason && event.reason.stack), 'promise', event.reason);
    });
    window.addEventListener('pagehide', flush);
  }

  return {
    record,
    show,
    run,
    error,
    flush,
    plain,
    isThenable,
    watch,
    listen: (listener) => listeners.add(listener),
    /** A widget has ended: the host has taken back everything that it gave to it. */
    ended: (widget) => endings.forEach((listener) => listener(widget)),
    onEnd: (listener) => endings.add(listener),
  };
});
