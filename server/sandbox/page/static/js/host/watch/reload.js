/** Reloads the page when a file of a widget has changed; a widget that cannot be read is told instead. */
define(['host/trace', 'host/texts', 'host/socket', 'host/loader'], function (trace, text, socket, loader) {
  'use strict';

  function changed({ code, problem }) {
    if (problem) {
      trace.show('error', { widget: code, name: 'manifest', message: text('bar.broken', { problem }) });
      return;
    }
    loader.forget();
    trace.flush().then(() => location.reload());
  }

  return { watch: () => socket.listen('sandbox:changed', null, changed) };
});
