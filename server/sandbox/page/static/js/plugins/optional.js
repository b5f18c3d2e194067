/** optional!module: the module, or null with the reason recorded when it cannot be loaded. */
define(['host/trace'], function (trace) {
  'use strict';

  return {
    load(name, require, done) {
      require([name], done, (error) => {
        trace.error(null, 'load', error);
        require.undef(name);
        done(null);
      });
    },
  };
});
