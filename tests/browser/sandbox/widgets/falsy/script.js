define(['jquery'], function ($) {
  return function () {
    this.callbacks = {
      render: function () { return false; },
      init: function () { return true; },
      bind_actions: function () { return true; },
      destroy: function () { return true; },
    };
    return this;
  };
});
