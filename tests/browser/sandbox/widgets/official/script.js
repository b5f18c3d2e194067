define(['jquery', 'underscore', 'twigjs', 'lib/components/base/modal'], function ($, _, Twig, Modal) {
  var CustomWidget = function () {
    var self = this,
      account = AMOCRM.constant('account');

    self.system = this.system();
    window.seen = window.seen || [];

    this.getTemplate = _.bind(function (name, params, callback) {
      params = typeof params === 'object' ? params : {};
      name = name || '';
      return this.render(
        { href: '/templates/' + name + '.twig', base_path: this.params.path, v: this.get_version(), load: callback },
        params
      );
    }, this);

    this.addStyle = function () {
      var path = self.params.path + '/style.css?v=' + self.get_version();
      if (!$('link[href="' + path + '"]').length) {
        $('head').append('<link href="' + path + '" type="text/css" rel="stylesheet">');
      }
    };

    this.callbacks = {
      account_id: account.id, // foreign members are none of the host's business
      helper: function () { return 'helper'; },
      settings: function ($modal_body) {
        seen.push({ settings: $modal_body.find('input[name=login]').length, scope: $modal_body.hasClass('modal-body') });
        return true;
      },
      init: _.bind(function () {
        self.addStyle();
        self.add_source('sms', function (message) {
          seen.push({ sms: message });
          return new Promise(function (resolve, reject) { message.message === 'нет' ? reject() : resolve(); });
        });
        self.add_source('custom', function ($place) { $place.html('<i class="official-source">custom</i>'); }, 'Мессенджер');
        return true;
      }, this),
      bind_actions: function () {
        $(document).on(AMOCRM.click_event + self.ns, '.official-send', function (event) {
          var $button = $(event.currentTarget);
          $button.trigger('button:load:start');
          new Modal({
            class_name: 'official-modal',
            init: function ($modal_body) {
              $modal_body
                .trigger('modal:loaded')
                .html(Twig({ ref: '/tmpl/controls/textarea.twig' }).render({ id: 'official_text', value: self.callbacks.helper(), placeholder: '…' }))
                .trigger('modal:centrify')
                .append('<p class="official-after">after</p>');
            },
            destroy: function () { $button.trigger('button:load:stop'); },
          });
        });
        return true;
      },
      render: function () {
        seen.push({ area: self.system.area, card: AMOCRM.data.current_card.id, entity: AMOCRM.getBaseEntity(), isCard: AMOCRM.isCard() });
        if (self.system.area === 'ccard' || self.system.area === 'lcard') {
          self.getTemplate('panel', { any: 'thing' }, function (template, base_params) {
            seen.push({ base_params: base_params });
            self.render_template({
              caption: { class_name: 'official-caption' },
              body: '',
              render: template.render({ hello: self.i18n('userLang').hello, items: [{ id: 1, option: 'Раз' }, { id: 2, option: 'Два' }] }),
            });
          });
        }
        return true;
      },
      dpSettings: function () {
        var form = $('.digital-pipeline__short-task_widget-style_' + self.get_settings().widget_code)
          .parent().parent().find('[data-action=send_widget_hook]');
        form.find('[title^=' + self.i18n('settings').message + ']').hide();
        form.find('input[name=message]').hide()
          .after(self.render({ ref: '/tmpl/controls/textarea.twig' }, { id: 'official_dp', style: { width: '300px' }, value: form.find('input[name=message]').val() }));
        form.on('input', '#official_dp', function () { form.find('input[name=message]').val($(this).val()); });
      },
      advancedSettings: _.bind(function () {
        var $work_area = $('#work-area-' + self.get_settings().widget_code),
          $save = $(Twig({ ref: '/tmpl/controls/button.twig' }).render({ text: 'Сохранить', class_name: 'button-input_blue official-save' })),
          $cancel = $(Twig({ ref: '/tmpl/controls/cancel_button.twig' }).render({ text: 'Отменить', class_name: 'official-cancel' }));
        $('.content__top__preset').css({ float: 'left' });
        $('.list__body-right__top').css({ display: 'block' }).append('<div class="list__body-right__top__buttons"></div>');
        $('.list__body-right__top__buttons').css({ float: 'right' }).append($cancel).append($save);
        self.getTemplate('own_page', {}, function (template) {
          $work_area.append($(template.render({ title: self.i18n('advanced').title, widget_code: self.get_settings().widget_code })));
        });
      }, self),
      onSave: function (data) {
        return new Promise(function (resolve, reject) { data.fields.login === 'плохой' ? reject('Неверный логин') : resolve(); });
      },
      destroy: function () { seen.push('destroy'); },
      contacts: { selected: function () { seen.push({ contacts: self.list_selected().selected }); } },
      leads: { selected: function () { seen.push({ leads: self.list_selected().selected }); } },
      tasks: { selected: function () { seen.push({ tasks: self.list_selected().selected.length }); } },
      salesbotDesignerSettings: function ($body, renderRow, params) {
        $body.append(renderRow('Ещё', '<input name="more" value="' + params.text + '!">'));
        return { exits: [{ code: 'success', title: 'Отправлено' }, { code: 'fail', title: 'Ошибка' }] };
      },
      onSalesbotDesignerSave: function (handler_code, params) {
        return JSON.stringify([{ question: [{ handler: 'show', params: { type: 'text', value: params.text, code: handler_code } }] }]);
      },
      onAddAsSource: function (pipeline_id) { seen.push({ source: pipeline_id }); },
      loadPreloadedData: function () { return Promise.resolve([{ id: 1, sku: 'A-1', name: 'Чай', price: '100' }]); },
      loadElements: function (element, id) {
        seen.push({ element: element, id: id });
        return $.Deferred().resolve([{ id: 7, sku: 'B-7', name: 'Кофе', price: '300', quantity: 2 }]).promise();
      },
      searchDataInCard: function (query, type, id) {
        seen.push({ query: query, type: type, id: id });
        return new Promise(_.bind(function (resolve) { resolve([{ id: 3, sku: 'C-3', name: 'Какао ' + query, price: '50' }]); }, this));
      },
      linkCard: function (links) { seen.push({ links: links }); return Promise.resolve(); },
    };
    return this;
  };

  return CustomWidget;
});
