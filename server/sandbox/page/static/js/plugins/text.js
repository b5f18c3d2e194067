/** text!url: the answer's body. */
define(['module'], function () {
  'use strict';

  return {
    load(name, require, done) {
      const request = new XMLHttpRequest();
      request.open('GET', require.toUrl(name));
      request.onload = () =>
        request.status < 400 ? done(request.responseText) : done.error(new Error(`${name}: HTTP ${request.status}`));
      request.onerror = () => done.error(new Error(`${name}: no answer`));
      request.send();
    },
  };
});
