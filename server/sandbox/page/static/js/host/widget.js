/** The base every widget gets: all `self.*` members of the JS SDK. */
define([
  'jquery',
  'underscore',
  'host/app',
  'host/here',
  'host/system',
  'host/net',
  'host/templates',
  'host/actions',
  'host/sources',
  'host/socket',
  'host/trace',
  'host/right_column',
  'host/settings_fields',
], function ($, _, app, here, system, net, templates, actions, sources, socket, trace, rightColumn, fields) {
  'use strict';

  const OF_THE_HOST = ['id', 'status', 'path', 'oauth_client_uuid', 'images_path', 'support', 'cdn_path'];

  const base = {
    system,
    render: (options, params) => templates.render(options || {}, params),
    crm_post: (url, data, success, type, error, options) => net.crmPost(url, data, success, type, error, options),
    get_accounts_current: () => $.Deferred().resolve(app.constant('account')).promise(),
    get_pipeline_id: () =>
      $.Deferred()
        .resolve(currentPipeline())
        .promise(),
    get_current_card_contacts_data: () => $.Deferred().resolve(currentContacts()).promise(),
    listenSocketChannel: (channel, keys, listener) => socket.listen(channel, keys, listener),
    list_selected: () => selectedRows(),
    setSdkCatalogId(id) {
      this.sdk_catalog_id = id;
    },

    get_settings() {
      return this.params;
    },
    set_settings(values) {
      return _.extend(this.params, values);
    },
    set_lang(langs) {
      this.langs = langs || {};
    },
    /** Dotted paths allowed; a whole section comes back as an object; an unknown key as ''. */
    i18n(key) {
      const found = String(key)
        .split('.')
        .reduce((part, name) => (part ? part[name] : undefined), this.langs);
      return found === undefined || found === null ? '' : found;
    },
    get_version() {
      return this.params.version;
    },
    get_install_status() {
      return this.params.status || 'install';
    },
    set_status(status) {
      this.params.status = status;
      $(document).trigger('widget:status', [this.params.widget_code, status]);
    },
    /** Draws the standard block into the right column. */
    render_template(parts, params) {
      rightColumn.put(this.params, this.langs, parts || {}, (source) => templates.render({ data: source }, params));
      return true;
    },
    widgetsOverlay(on) {
      rightColumn.overlay(on !== false);
    },
    add_action(type, action) {
      actions.add(type, this, action);
    },
    add_source(type, handler, text) {
      sources.add(type, this, handler, text);
    },
    $authorizedAjax(options) {
      return net.authorizedAjax(this.params.widget_code, options);
    },
  };

  /** Of the deal on screen, of the board on screen, or the account's main one. */
  function currentPipeline() {
    const card = app.data.current_card;
    const own = card && card.model && card.model.get('lead[PIPELINE_ID]');
    return own || here.pipeline_id || app.constant('account').main_pipeline_id;
  }

  const currentContacts = () => (app.data.current_card ? app.data.current_card.contacts || [] : []);

  function selectedRows() {
    const list = app.data.current_list;
    const checked = list ? list.filter((row) => row.get('checked')) : [];
    const selected = checked.map((row) => _.pick(row.attributes, 'id', 'type', 'emails', 'phones'));
    const count = (key) => selected.reduce((sum, row) => sum + row[key].length, 0);
    const summary = { items: selected.length, emails: count('emails'), phones: count('phones') };
    return { selected, summary, count_selected: selected.length };
  }

  /** Constructs a widget: base members are on its prototype before the constructor runs, settings and texts are not. */
  function construct(Constructor) {
    $.extend(Constructor.prototype, base, { params: {}, langs: {}, callbacks: {} });
    const made = new Constructor();
    if (typeof made.set_lang !== 'function') throw new Error('the constructor returned an object without the SDK');
    return made;
  }

  /** Gives a constructed widget its name space, texts and settings, in amoCRM's order. */
  function equip(widget, entry, texts) {
    widget.ns = `.widget:${entry.code}`;
    widget.init_once = entry.init_once === 'Y';
    // The base's own methods: a widget that replaces them must not be asked to keep what the host hands over.
    base.set_lang.call(widget, withServerTexts(texts, entry));
    const settings = fields.parsable(entry, parse(entry.settings));
    widget.params = {};
    base.set_settings.call(
      widget,
      Object.assign(settings, _.pick(entry, OF_THE_HOST), {
        widget_code: entry.code,
        version: entry.installed_version,
        widget_active: entry.active,
        active: entry.active,
      }),
    );
    return widget;
  }

  function withServerTexts(texts, entry) {
    const named = Object.assign({}, texts && texts.widget, _.pick(entry, 'name', 'description'));
    return Object.assign({}, texts, { widget: named });
  }

  function parse(settings) {
    if (settings && typeof settings === 'object') return Object.assign({}, settings);
    return settings ? JSON.parse(settings) : {};
  }

  return { construct, equip, base };
});
