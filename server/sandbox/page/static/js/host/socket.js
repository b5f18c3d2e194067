/**
 * The page's wire to its server: channels of amoCRM's names. When the socket cannot be had the page asks every few
 * seconds for the notifications it missed.
 */
define(['jquery', 'host/app', 'host/trace'], function ($, app, trace) {
  'use strict';

  const RETRY_MS = [500, 1000, 2000, 5000];
  const listeners = []; // {channel, keys, listener}
  let socket = null;
  let attempts = 0;

  const address = () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ajax/page/socket`;
  const isOpen = () => Boolean(socket) && socket.readyState === WebSocket.OPEN;

  function connect() {
    socket = new WebSocket(address());
    socket.onopen = () => {
      attempts = 0;
      subscribe(listeners.map((one) => one.channel));
      $(document).trigger('host:socket:open');
    };
    socket.onmessage = (event) => {
      const { channel, data } = JSON.parse(event.data);
      deliver(channel, data);
    };
    socket.onclose = retry;
  }

  function retry() {
    $(document).trigger('host:socket:closed');
    const wait = RETRY_MS[Math.min(attempts, RETRY_MS.length - 1)];
    attempts += 1;
    setTimeout(connect, wait);
  }

  const subscribe = (channels) => channels.length && socket.send(JSON.stringify({ subscribe: [...new Set(channels)] }));

  function deliver(channel, data) {
    listeners
      .filter((one) => one.channel === channel && wants(one.keys, data))
      .forEach((one) => {
        try {
          one.listener(data, channel);
        } catch (error) {
          trace.error(null, `channel ${channel}`, error);
        }
      });
  }

  /** No keys: everything; otherwise messages that carry at least one of them. */
  function wants(keys, data) {
    const wanted = [].concat(keys || []);
    return !wanted.length || wanted.some((key) => data && key in data);
  }

  /** @returns {() => void} unsubscribe */
  function listen(channel, keys, listener) {
    const one = { channel, keys, listener: typeof keys === 'function' ? keys : listener };
    if (typeof keys === 'function') one.keys = null;
    listeners.push(one);
    if (isOpen()) subscribe([channel]);
    return () => {
      const index = listeners.indexOf(one);
      if (index >= 0) listeners.splice(index, 1);
    };
  }

  return { connect, listen };
});
