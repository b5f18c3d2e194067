define(['jquery'], function ($) {
  return function () {
    var self = this;
    window.seen = window.seen || [];
    this.callbacks = {
      render: function () { return true; },
      init: function () { return true; },
      bind_actions: function () { return true; },
      settings: function ($body) {
        $('#' + self.params.widget_code + '_custom_content', $body).html('<label><input type="checkbox" class="fields-consent"> consent</label>');
        $body.on('change', '.fields-consent', function (event) {
          $body.find('input[name=conf]').val(JSON.stringify({ agreed: event.target.checked })).trigger('change');
        });
        return true;
      },
      onSave: function (data) {
        window.seen.push(data);
        if (data.fields.title === 'refuse') { return false; }
        return new Promise(function (resolve, reject) { (data.fields.title === 'reject' ? reject : resolve)('Спросите администратора'); });
      },
      onInstall: function () { window.seen.push('onInstall'); },
      destroy: function () { window.seen.push('destroy'); },
      advancedSettings: function () { $('#list_page_holder').html('<h2 class="own-page">own page</h2>'); },
    };
    return this;
  };
});
