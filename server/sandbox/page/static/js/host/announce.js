/** Tells something on the document, where widgets listen too: a handler of theirs that throws must not stop the host. */
define(['jquery', 'host/trace'], function ($, trace) {
  'use strict';

  return function announce(event, args) {
    try {
      $(document).trigger(event, args);
    } catch (error) {
      trace.error(null, event, error);
    }
  };
});
