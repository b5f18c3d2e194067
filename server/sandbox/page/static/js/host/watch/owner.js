/**
 * Whose code is running. A widget's functions lie in files below /upl/<code>/ (or /widgets/<code>/), so the stack names
 * the widget even in timers and handlers; where a stack says nothing, the callback does that the host is running.
 */
define([], function () {
  'use strict';

  const DEEP = 40; // frames; a widget calls the host through jQuery, and V8 keeps ten by default
  const FRAME = /\/(?:upl|widgets)\/([^/\s]+)\/(?:widget\/)?([^?:)\s]+)(?:\?[^:)\s]*)?:(\d+):(\d+)/;
  const WATCHING = '/frontend/js/host/watch/';
  const VENDOR = '/frontend/js/vendor/';
  const running = [];

  function frames() {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = DEEP;
    const { stack } = new Error();
    Error.stackTraceLimit = limit;
    return String(stack)
      .split('\n')
      .filter((line) => line.includes('://') && !line.includes(WATCHING));
  }

  /** @returns {{widget: string, where: string} | null} what a frame of a stack, or any text with an address, tells */
  function read(line) {
    const found = FRAME.exec(line || '');
    return found && { widget: found[1], where: `${found[2]}:${found[3]}:${found[4]}` };
  }

  /** The widget whose own code did this, not the host or a vendor's module for it. */
  function direct({ throughVendor = true } = {}) {
    return read(frames().find((line) => !throughVendor || !line.includes(VENDOR)));
  }

  /** The widget for which this is done, however many steps away; `chain` tells one way through its code from another. */
  function any() {
    const own = frames().map(read).filter(Boolean);
    if (own.length) return Object.assign(own[0], { chain: own.map((one) => one.where).join(' ') });
    const widget = running[running.length - 1];
    return widget ? { widget, where: '', chain: widget } : null;
  }

  /** Runs `action` for a widget. */
  function as(widget, action) {
    running.push(widget);
    try {
      return action();
    } finally {
      running.pop();
    }
  }

  return { read, direct, any, as };
});
