define(['underscore', 'twigjs', './lib/helper.js?v=2', 'json!./manifest.json'], function (_, Twig, helper, manifest) {
  return function () {
    var self = this;
    window.seen = window.seen || [];
    self.system = this.system();
    seen.push({ area: self.system.area, user: APP.constant('user').id, account: AMOCRM.constant('account').id, settings: self.get_settings(), word: self.i18n('any.thing') });
    this.callbacks = _.extend({
      render: function () {
        seen.push({ greeting: self.i18n('userLang.hello'), section: self.i18n('userLang'), unknown: self.i18n('no.such'), ns: self.ns,
          settings: self.get_settings(), path: self.params.path, version: self.get_version(), status: self.get_install_status(), helper: helper.name,
          manifest: manifest.widget.version, button: self.render({ ref: '/tmpl/controls/button.twig' }, { text: 'Go <now>', id: 'go' }),
          inline: self.render({ data: '{{ include_control("input", {name: "x", value: who}) }} {{ who }}' }, { who: 'Anna' }),
          wrapped: Twig({ data: 'Hi {{ who }}' }).render({ who: 'Boris' }) });
        self.render_template({ caption: { class_name: 'own-caption' }, body: '<p class="own-body">body</p>', render: '<p class="own-twig">{{ who }}</p>' }, { who: 'Vera' });
        return true;
      },
      init: function () {
        self.render({ href: '/templates/hello.twig', base_path: self.params.path, v: self.get_version(), load: function (template) {
          window.seen.push({ loaded: template.render({ who: 'Galina' }) });
        } });
        return true;
      },
      bind_actions: function () { return true; },
    }, {});
    return this;
  };
});
