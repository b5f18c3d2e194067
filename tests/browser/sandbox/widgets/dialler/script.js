define(['jquery', 'lib/components/base/modal', './lib/calls_list.js?v=5.1.0', 'moment'], function ($, Modal, CallsList, moment) {
  return function () {
    var self = this,
      calls = new CallsList(),
      updates = 0;

    window.seen = window.seen || [];
    this.dial = function (number, model) {
      APP.sdk.setCallingStatus(true);
      var extension = (self.get_settings().extensions || {})[self.system().amouser_id];
      self.crm_post('http://127.0.0.1:9/dial', { call_to: number, from: extension }, function (answer) { seen.push({ answer: answer }); }, 'text', function () { seen.push('refused'); });
      seen.push({ dial: number, from: extension, name: model && model.get('contact[NAME]') });
    };

    this.hungUp = function (number, talked) {
      APP.sdk.setCallingStatus(false);
      APP.notifications.add_call({ text: 'Разговор окончен', header: number, from: number, duration: talked, date: moment().unix(), link: 'https://example.test/a.mp3', click_link: '/contacts/add/?phone=' + number });
      new Modal({
        class_name: 'dialler-result',
        disable_overlay_click: true,
        init: function ($body) {
          $body.trigger('modal:loaded').html('<form class="dialler-form"><input name="lead"><textarea name="note"></textarea><button type="submit">OK</button></form>').trigger('modal:centrify');
          $body.on('submit', 'form', function (event) {
            event.preventDefault();
            self.save($(event.target), $body);
          });
        },
      });
    };

    this.save = function ($form, $body) {
      var lead = [{ name: $form.find('[name=lead]').val(), _embedded: { contacts: [{ name: 'Новый' }] } }];
      var post = function (url, data) {
        return $.ajax({ url: url, method: 'POST', contentType: 'application/json', data: JSON.stringify(data) });
      };
      post('/api/v4/leads/complex', lead).then(function (answer) {
        return post('/api/v4/leads/' + answer[0].id + '/notes', [{ note_type: 'common', params: { text: $form.find('[name=note]').val() } }]);
      }).done(function () {
        $body.find('.modal-body__close').click();
      }).fail(function () {
        new Modal()._showError('не сохранено');
      });
    };

    this.callbacks = {
      render: function () { return true; },
      init: function () {
        self.add_action('phone', function (event) { self.dial(event.value, event.model); });
        $(document).on('list:cookies:update' + self.ns, function () { updates += 1; });
        APP.addNotificationCallback(self.get_settings().widget_code, function (notification) { seen.push({ feed: notification.body.title }); });
        APP.widgets.notificationsPhone({ ns: self.ns, click: function () {
          self.render({ href: 'templates/call_list.twig', base_path: self.params.path, v: self.get_version(), load: function (template) {
            $('#popups_wrapper').prepend(template.render({ widget_code: self.params.widget_code, rows: calls.toJSON() }));
          } });
        } });
        return true;
      },
      bind_actions: function () { return true; },
      settings: function () { return true; },
      onSave: function () { return true; },
      contacts: { selected: function () {
        var before = calls.length;
        if (calls.add_selected(self.list_selected().selected) === before) {
          APP.notifications.show_message_error({ header: self.i18n('widget').name, text: self.i18n('caller').nothing_to_add, without_header: true });
        }
        $('.calls-list-toggler .js-notifications_call_list_counter').text(calls.length);
        seen.push({ added: calls.length - before, updates: updates });
      } },
      destroy: function () { APP.widgets.destroyNotificationsPhone({ ns: self.ns }); },
    };
    return this;
  };
});
