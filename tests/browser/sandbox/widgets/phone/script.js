define(['jquery'], function ($) {
  return function () {
    var self = this;
    window.seen = window.seen || [];
    function selected() { window.seen.push(self.list_selected()); }
    this.callbacks = {
      render: function () { return true; },
      init: function () {
        self.add_action('phone', function (event) {
          window.seen.push({ value: event.value, type: event.type, id: event.model && (event.model.get('ID') || event.model.id),
            name: event.model && (event.model.get('contact[NAME]') || event.model.get('name').text) });
        });
        self.add_action('email', function (event) { window.seen.push({ email: event.value }); });
        APP.addNotificationCallback(self.get_settings().widget_code, function (notification) { window.seen.push({ notification: notification }); });
        APP.widgets.notificationsPhone({ ns: self.ns, click: function () { window.seen.push('phone icon'); } });
        return true;
      },
      bind_actions: function () { return true; },
      contacts: { selected: selected }, leads: { selected: selected }, customers: { selected: selected },
    };
    return this;
  };
});
