/* What a bundler leaves: an empty list of modules, the page's own $ and _, modules asked for later. */
define([], () => {
  'use strict';
  const load = (name) => new Promise((resolve, reject) => require([name], resolve, reject));
  const CustomWidget = function () {
    const self = this;
    window.seen = window.seen || [];
    const { widget_code = null } = self.get_settings();
    seen.push({ early: widget_code, user: APP.constant('user').id, managers: Object.values(APP.constant('managers')).length });
    const twig = require('twigjs');
    this.callbacks = {
      render() {
        if (!APP.data.current_card) return true;
        self.render_template({ render: '<div class="modern-block">{{ id }} {{ note }}</div>' }, { id: APP.data.current_card.id, note: twig({ data: 'из {{ who }}' }).render({ who: 'twig' }) });
        return true;
      },
      async init() {
        const { path } = self.params;
        const [cached, absolute] = await Promise.all([load(`${path}/lib/app.js?cache=${Date.now()}`), load(`${location.origin}${path}/lib/app.js`)]);
        seen.push({ cached: cached.same, absolute: absolute.same });
        const xhr = new XMLHttpRequest();
        xhr.open('GET', '/widgets/' + self.params.widget_code + '/manifest.json');
        xhr.onload = () => seen.push({ version: JSON.parse(xhr.responseText).widget.version });
        xhr.send();
      },
      bind_actions: () => true,
      settings($body) {
        const field = `#${self.params.widget_code}_custom`;
        $(`#${self.params.widget_code}_custom_content`).append('<button type="button" class="modern-agree">ok</button>');
        $body.on('click', '.modern-agree', () => $(field).val(JSON.stringify({ agreed: _.now() > 0 })).trigger('change'));
      },
      onSave: () => $.Deferred().resolve(true).promise(),
      customers: { selected: () => seen.push(self.list_selected()) },
      destroy() {},
    };
    return this;
  };
  return CustomWidget;
});
