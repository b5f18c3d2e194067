// Everything that moderation rejects, each in a function of its own for the test to call.
define(['jquery'], function ($) {
  return function () {
    var self = this;
    window.naughty = {
      eval: function () { return eval('1 + 1'); },
      dialog: function () { return confirm('Sure?'); },
      console: function () { console.log('hello'); },
      sync: function () { $.ajax({ url: '/private/ping.php', async: false }); },
      loop: function () { for (var i = 0; i < 5; i += 1) $.get('/api/v4/account'); },
      global: function () { APP.data.mine = 1; },
      script: function () { $('head')[0].appendChild(document.createElement('script')); },
      foreign: function () { $('head')[0].appendChild($('<script>', { src: 'http://elsewhere.test/x.js' })[0]); },
      css: function () { $('head').append('<style>.naughty .button-input, .nav__menu, a:hover { color: red }</style>'); },
      click: function () { $('body').append('<b class="js-widget-install naughty">').find('.naughty').trigger('click').remove(); },
      cover: function () { $('body').append('<div id="naughty_cover" style="position:fixed;inset:0 auto 0 0;width:65px;z-index:99">'); },
      menu: function () { $('#left_menu').append('<div>'); },
    };
    // Allowed, or nobody's business.
    window.decent = function () {
      console.debug('hello');
      $.get('/api/v4/account');
      [1, 2, 3].forEach(function (number) { self.$authorizedAjax({ url: '/private/ping.php?' + number }); });
      $('head').append('<style>.decent a, #decent .button-input, [data-decent] p { color: red } :root { --decent: 1 }</style>');
      $('body').append('<div class="decent" style="position:fixed;right:0;bottom:90px">decent</div>');
      APP.player_prepare.naughty = function () {};
      APP.widgets.legal_handlers.push(function () {});
      return APP.constant('user').id + APP.data.is_card + self.params.version;
    };
    this.callbacks = {
      render: function () { return true; },
      init: function () { return true; },
      bind_actions: function () { return true; },
      onSave: function () { return true; },
    };
    return this;
  };
});
