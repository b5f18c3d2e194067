define([], function () {
  return function () {
    this.callbacks = { render: function () { return true; }, init: function () { return true; } };
    return this;
  };
});
