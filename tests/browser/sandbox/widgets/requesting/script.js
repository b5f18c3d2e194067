define(['jquery'], function ($) {
  return function () {
    window.requesting = async function () {
      await fetch('http://elsewhere.test/hook', { method: 'POST' }).catch(function () {});
      await $.get('/api/v4/account');
      new WebSocket('ws://' + location.host + '/nowhere');
    };
    this.callbacks = {
      render: function () { return true; },
      init: function () { return true; },
      bind_actions: function () { return true; },
    };
    return this;
  };
});
