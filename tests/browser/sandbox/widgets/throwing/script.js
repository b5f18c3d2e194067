define(['jquery'], function ($) {
  return function () {
    this.callbacks = {
      render: function () { throw new Error('render is broken'); },
      init: function () { return true; },
      bind_actions: function () { return true; },
      destroy: function () { return true; },
    };
    return this;
  };
});
