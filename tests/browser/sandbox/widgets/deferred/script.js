define(['jquery'], function ($) {
  return function () {
    this.callbacks = {
      render: function () { var d = $.Deferred(); window.settleDeferred = d.resolve; setTimeout(d.resolve, 30); return d.promise(); },
      init: function () { return true; },
      bind_actions: function () { return true; },
      destroy: function () { return true; },
    };
    return this;
  };
});
