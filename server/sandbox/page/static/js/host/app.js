/** The global APP (alias AMOCRM): constants and facts about the page. Other rooms hang their parts on it in main.js. */
define(['underscore', 'host/here'], function (_, here) {
  'use strict';

  const boot = window.SANDBOX_BOOT;
  const constants = _.clone(boot.constants);

  const app = {
    lang_id: boot.lang,
    lang: _.clone(boot.texts),
    /** Words of a widget beside the host's own, for templates that are given `APP.lang`. */
    addLang: (words) => _.extend(app.lang, words),
    click_event: 'click',
    element_types: boot.element_types,
    cf_types: boot.cf_types,
    data: {
      current_card: false,
      current_list: null,
      current_view: { $el: null },
      current_entity: null,
      is_card: false,
    },

    /** Reads a constant, or sets it when a value is given. */
    constant(key, ...value) {
      if (value.length) constants[key] = value[0];
      return constants[key];
    },
    getBaseEntity: () => (here.place ? here.place.base_entity : null),
    getWidgetsArea: () => (here.place ? here.place.area : null),
    getV3WidgetsArea: () => app.getWidgetsArea(),
    isCard: () => Boolean(app.data.is_card),
  };

  const listen = { focus: 'focus', blur: 'blur' };
  app.ifvisible = {
    /** Tab visibility, as widgets use it: on('blur' | 'focus', fn). */
    on(event, action) {
      if (event in listen) window.addEventListener(listen[event], action);
      document.addEventListener('visibilitychange', () => {
        if ((document.hidden ? 'blur' : 'focus') === event) action();
      });
      return app.ifvisible;
    },
    now: () => !document.hidden,
  };

  return app;
});
