define(['http://elsewhere.test/lib.js'], function (lib) {
  return function () {
    this.callbacks = {
      render: function () { return true; },
      init: function () { import('http://elsewhere.test/module.mjs'); return lib.works; },
      bind_actions: function () { return true; },
    };
    return this;
  };
});
