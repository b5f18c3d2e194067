define(['jquery'], function ($) {
  return function () {
    this.callbacks = {
      render: function () { return true; },
      init: function () { return true; },
      bind_actions: function () { return true; },
      destroy: function () { return true; },
    };
    return this;
  };
});
