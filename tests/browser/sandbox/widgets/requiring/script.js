define(function (require) {
  const $ = require('jquery');
  const PubSub = require('pubsub');
  const api = require('./lib/api.js?v=0.3');
  const page = require('text!./templates/page.twig');

  const methods = {
    async describe() {
      const [account, pipelines] = await Promise.all([api.account(), api.pipelines()]);
      PubSub.publish('requiring.ready', { account: account.id, pipelines: pipelines._embedded.pipelines.length });
    },
  };

  return class Widget {
    constructor() {
      window.seen = window.seen || [];
      // Another object with the SDK's prototype, as compiled widgets return it.
      const widget = Object.assign(Object.create(new.target.prototype), methods);
      PubSub.subscribe('requiring.ready', (message, facts) => window.seen.push(facts));
      widget.callbacks = {
        render: async () => {
          await Promise.resolve();
          return true;
        },
        init: async () => {
          await widget.describe();
          return true;
        },
        bind_actions: () => true,
        settings: async () => true,
        onSave: async ({ active, fields }) => {
          if (active === 'Y' && fields.token !== 'good') throw new Error('bad token');
          return true;
        },
        initMenuPage: (params) => {
          const code = widget.get_settings().widget_code;
          window.seen.push(params);
          $(`#work-area-${code}`).html(widget.render({ data: page }, { item: params.subitem_code }));
        },
        destroy: () => {},
      };
      return widget;
    }
  };
});
