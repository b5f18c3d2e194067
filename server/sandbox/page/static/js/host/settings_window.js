/** The settings window of a widget: install, save, disconnect, with the callbacks in amoCRM's order. */
define([
  'jquery',
  'host/announce',
  'host/here',
  'host/net',
  'host/html',
  'host/texts',
  'host/trace',
  'host/loader',
  'host/settings_fields',
  'lib/components/base/modal',
], function ($, announce, here, net, html, text, trace, loader, fields, Modal) {
  'use strict';

  const button = (
    kind,
    label,
    attributes = '',
  ) => html`<button type="button" class="button-input js-widget-${kind} ${kind === 'uninstall' ? '' : 'button-input_blue'}"
      ${html.raw(attributes)}><span class="button-input-inner"><span class="button-input-inner__text">${label}</span></span></button>`;

  const state = (status) =>
    html`<span class="widget-state widget-state_status_${status}" data-status="${status}">${text(`settings.state.${status}`)}</span>`;

  /** A widget of `installation: false` has nothing to install; a showcase is only looked at. */
  function plate(entry) {
    if (!entry.is_installable) return entry.is_showcase ? button('view', text('settings.view')) : '';
    const id = `id="${entry.code}"`;
    if (entry.active !== 'Y') return html`${state('install')}${button('install', text('settings.install'), id)}`;
    return html`${state(entry.status)}${button('uninstall', text('settings.uninstall'), id)}`;
  }

  /** Below the fields; widgets put rows of their own over it, so it is there before Save is. */
  function controls(entry) {
    const attributes = `id="save_${entry.code}" data-onsave-destroy-modal="true" disabled`;
    return html`<div class="widget_settings_block__controls widget_settings_block__controls_top">${
      entry.is_installable && entry.active === 'Y' ? button('save', text('settings.save'), attributes) : ''
    }</div>`;
  }

  const switcher = (
    entry,
  ) => html`<label class="switcher_wrapper widget_settings_block__switch"><input type="checkbox" class="switcher" id="widget_active__sw"
      value="${entry.active}" ${html.raw(entry.active === 'Y' ? 'checked' : '')} disabled><span>${text('settings.active')}</span></label>`;

  function markup(entry) {
    const support = entry.support || {};
    return html`<div class="widget-settings"><div class="widget-settings__base-space"><div class="widget_main_info">
        <img class="widget_settings_block__img" src="${entry.images_path}/logo_main.png" alt=""><div class="widget_settings_block__head">
        <div class="widget_settings_block__head__title widget_settings_block__title">${entry.name}</div>
        <div class="widget_settings_block__head-desc">${html.raw(entry.short_description || '')}</div></div></div>
        <div class="widget-settings__command-plate">${plate(entry)}</div><em class="widget-settings__error js-settings-error" role="alert"></em>
        <div class="widget-settings__additional-block">${
          support.link || support.email
            ? html`<a href="${support.link || `mailto:${support.email}`}"
          target="_blank" rel="noopener">${text('settings.support')}</a>`
            : ''
        }</div></div>
        <div class="widget-settings__wrap-desc-space"><div class="widget-settings__desc-space"><div class="widget_settings_block"><div class="widget_settings_block__descr">${html.raw(entry.description || '')}</div>
          ${entry.tour_description ? html`<div class="widget-settings__tour">${html.raw(entry.tour_description)}</div>` : ''}${entry.is_installable ? switcher(entry) : ''}<div id="widget_settings__fields_wrapper" class="widget_settings_block__fields">${fields.markup(entry, fields.parsed(entry.settings))}${controls(entry)}</div></div></div></div></div>`;
  }

  /** Saves, when the widget's onSave agrees. Rejects with words for the person in front of it. */
  async function confirmedByWidget(widget, active, values) {
    if (!widget || typeof (widget.callbacks || {}).onSave !== 'function') {
      if (active === 'Y') throw new Error(text('settings.no_on_save'));
      return;
    }
    const answer = loader.call(widget, 'onSave', { active, fields: values });
    if (answer.failed) throw new Error(text('settings.threw'));
    let agreed = answer.value;
    try {
      agreed = await agreed;
    } catch (refusal) {
      throw new Error(typeof refusal === 'string' ? refusal : text('settings.refused'));
    }
    if (agreed === false) throw new Error(text('settings.refused'));
  }

  async function store(entry, action, values) {
    try {
      return await net.post('/ajax/widgets/edit', { action, code: entry.code, id: entry.id, settings: values });
    } catch (request) {
      throw new Error(text('settings.not_saved', { status: request.status }));
    }
  }

  async function install(entry, widget, values) {
    await confirmedByWidget(widget, 'Y', values);
    const answer = await store(entry, 'install', values);
    if (typeof widget.callbacks.onInstall === 'function') loader.call(widget, 'onInstall');
    adopt(entry, widget, values, answer);
    await loader.install(widget, here.place);
  }

  async function save(entry, widget, values) {
    await confirmedByWidget(widget, 'Y', values);
    adopt(entry, widget, values, await store(entry, 'edit', values));
  }

  async function uninstall(entry, widget, values) {
    await confirmedByWidget(widget, 'N', values);
    await store(entry, 'disable', values);
    loader.forget();
    announce('widget:removed', [entry.code, widget || undefined]);
  }

  function adopt(entry, widget, values, answer) {
    loader.forget();
    const settings = fields.parsable(entry, Object.assign({}, values, answer.settings));
    widget.set_settings(Object.assign(settings, { status: 'installed', active: 'Y', widget_active: 'Y' }));
  }

  const ACTIONS = { install, save, uninstall };

  async function perform(kind, entry, context) {
    const $error = context.$body.find('.js-settings-error').text('');
    const $button = context.$body.find(`.js-widget-${kind}`);
    const values = fields.read(context.$body, entry);
    const missing = kind === 'uninstall' ? [] : fields.missing(entry, values);
    context.$body
      .find('.widget_settings_block__item_field')
      .each((index, item) => $(item).toggleClass('is-missing', missing.includes(item.dataset.field)));
    if (missing.length) {
      $error.text(text('settings.required'));
      return;
    }
    $button.trigger('button:save:start').prop('disabled', true);
    try {
      await ACTIONS[kind](entry, context.widget, values);
      $button.trigger('button:saved');
      if (kind === 'save' && $button.attr('data-onsave-destroy-modal') !== 'true') return; // the widget keeps its window
      context.modal.destroy();
      announce('widget:saved', [entry.code]);
    } catch (problem) {
      $button.trigger('button:save:error').prop('disabled', false);
      $error.text(problem.message);
    }
  }

  function bind(entry, context) {
    const { $body } = context;
    const enable = () => $body.find('.js-widget-save').prop('disabled', false).trigger('button:save:enable');
    $body.on('input change', '.widget_settings_block__controls__', enable);
    ['install', 'save', 'uninstall'].forEach((kind) =>
      $body.on('click', `.js-widget-${kind}`, () => perform(kind, entry, context)),
    );
  }

  /** `self.set_status` of the widget whose window is open. */
  $(document).on('widget:status', (event, code, status) => {
    $(`.widget-settings__modal.${code} .widget-state`).replaceWith(String(state(status)));
  });

  /** Opens the window; resolves when the widget's `settings` has run. `source` says of which source of a pipeline. */
  async function open(entry, source = {}) {
    const context = { widget: await loader.instance(entry) };
    context.modal = new Modal({
      class_name: `widget-settings__modal ${entry.code}`,
      container: $('<div>', { class: entry.code }).appendTo('body')[0],
      init($body) {
        context.$body = $body;
        $body
          .append(String(markup(entry)))
          .trigger('modal:loaded')
          .trigger('modal:centrify');
      },
      destroy: () => setTimeout(() => $(`body > .${entry.code}:empty`).remove(), 0),
    });
    bind(entry, context);
    const { widget } = context;
    if (widget && typeof (widget.callbacks || {}).settings === 'function')
      loader.call(widget, 'settings', context.$body, source);
    context.$body.attr('data-settings', 'ready');
    announce('widget:settings:opened', [entry.code]);
  }

  return { open };
});
