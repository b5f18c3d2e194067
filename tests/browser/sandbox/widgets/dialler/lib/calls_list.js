define(['jquery', 'vendor/backbone', 'lib/common/cookie'], function ($, Backbone, cookie) {
  return Backbone.Collection.extend({
    add_selected: function (selected) {
      var rows = APP.data.current_list;
      selected.forEach(function (one) {
        if (!one.phones.length) return;
        var model = rows.where({ id: one.id })[0];
        this.add({ id: one.id, phone: one.phones[0], name: model.get('name').text, element_type: model.get('element_type') });
        $(document).trigger('list:cookies:update');
      }, this);
      cookie.set('dialler_list', this.pluck('id').join('.'));
      return this.length;
    },
  });
});
