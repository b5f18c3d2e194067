// Opens everything twice: once to be left behind, once to be closed as a widget should.
define(['jquery'], function ($) {
  return function () {
    var self = this, closed = {};
    function onClick() {}
    this.callbacks = {
      render: function () { return true; },
      init: function () {
        $(document).on('click', onClick);
        $(document).on('keydown' + self.ns, onClick);
        window.addEventListener('resize', onClick);
        window.addEventListener('scroll', onClick);
        setInterval(onClick, 60000);
        closed.timer = setInterval(onClick, 60000);
        new WebSocket('ws://' + location.host + '/ajax/page/socket');
        closed.socket = new WebSocket('ws://' + location.host + '/ajax/page/socket');
        $('body').append('<div id="leaky_left"></div>');
        closed.$element = $('<div id="leaky_removed"></div>').appendTo('body');
        closed.before = document.body.insertBefore(document.createElement('i'), document.getElementById('left_menu'));
        $('head').append('<link rel="stylesheet" href="' + self.params.path + '/style.css">');
        self.render_template({ body: '', render: '<p class="leaky">block</p>' });
        return true;
      },
      bind_actions: function () { return true; },
      onSave: function () { return true; },
      settings: function ($body) { $body.append('<p class="leaky">settings</p>').on('click', onClick); return true; },
      destroy: async function () {
        window.removeEventListener('scroll', onClick);
        await null;
        clearInterval(closed.timer);
        closed.socket.close();
        closed.$element.remove();
        closed.before.remove();
      },
    };
    return this;
  };
});
