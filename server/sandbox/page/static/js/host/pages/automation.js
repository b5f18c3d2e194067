/**
 * Triggers of the pipeline, blocks of the bot designer and sources of leads: the page from which their callbacks of
 * widgets run (dpSettings, salesbotDesignerSettings, onSalesbotDesignerSave, onAddAsSource). What is saved is logged;
 * no trigger fires and no bot speaks in the sandbox.
 */
define([
  'jquery',
  'host/app',
  'host/here',
  'host/html',
  'host/texts',
  'host/trace',
  'host/loader',
  'host/settings_window',
], function ($, app, here, html, text, trace, loader, settingsWindow) {
  'use strict';

  const BLOCK = 'widget_settings_block';
  let entries = [];

  const button = (name, label, data = '') => html`<button type="button" class="button-input js-${name}" ${html.raw(data)}>
    <span class="button-input-inner">${label}</span></button>`;

  const row = (title, control) => html`<div class="${BLOCK}__item_field form-group"><div class="${BLOCK}__title_field" title="${title}">${title}</div>
    <div class="${BLOCK}__input_field">${control}</div></div>`;

  const field = (one) =>
    row(
      one.title,
      html`<input class="${BLOCK}__controls__ text-input" name="${one.code}" id="${one.code}" value="${one.value || ''}" aria-label="${one.title}">`,
    );

  const section = (entry) => html`<section class="automation__widget" data-code="${entry.code}"><h2>${entry.name}</h2>
    <div class="automation__buttons">${entry.dp ? button('trigger-add', text('automation.trigger')) : ''}
    ${entry.handlers.map((one) => button('bot-add', html`${text('automation.bot')}: ${one.title}`, `data-handler="${html.escape(one.code)}"`))}
    ${entry.is_source ? html`${button('source-add', text('automation.source'))}${button('source-settings', text('automation.source_settings'))}` : ''}</div>
    <div class="js-dialog"></div></section>`;

  /** amoCRM's names around the form of a trigger, by which dpSettings finds it. */
  const trigger = (entry) => html`<div class="digital-pipeline__item"><div class="digital-pipeline__item-inner"><div class="digital-pipeline__short-task-wrapper">
      <div class="digital-pipeline__short-task digital-pipeline__short-task_widget-style_${entry.code}">${entry.dp.title || entry.name}</div></div>
    <div data-action="send_widget_hook"><form class="digital-pipeline__edit-forms"><div class="task-edit__body"><div class="task-edit__body__form">
      <div id="widget_settings__fields_wrapper" class="${BLOCK}__fields">${entry.dp.fields.map(field)}</div></div></div></form>
      <div class="digital-pipeline__edit-footer trigger_settings__process__footer">${button('trigger-save', text('card.save'))}
      <button type="button" class="button-cancel js-trigger-cancel">${text('modal.cancel')}</button></div></div></div></div>`;

  const bot = (handler) => html`<div class="salesbot-designer__block" data-handler="${handler.code}"><form class="js-bot-form"><div class="js-bot-body">${handler.fields.map(field)}</div></form>
    <ul class="js-bot-exits"></ul>${button('bot-save', text('card.save'))}<pre class="js-bot-source"></pre></div>`;

  const entryAt = ($at) => entries.find((entry) => entry.code === $at.closest('.automation__widget').data('code'));
  const dialog = ($at) => $at.closest('.automation__widget').find('.js-dialog');
  const values = ($form) => Object.fromEntries($form.serializeArray().map((one) => [one.name, one.value]));
  const pipeline = () => Number(/(\d+)\/?$/.exec(here.place.path)?.[1] || app.constant('account').main_pipeline_id);

  function run(entry, name, ...args) {
    const widget = app.widgets.list[entry.code];
    if (!widget || typeof widget.callbacks[name] !== 'function') return { value: undefined };
    return loader.call(widget, name, ...args);
  }

  function addTrigger($at) {
    const entry = entryAt($at);
    dialog($at).html(String(trigger(entry)));
    run(entry, 'dpSettings');
  }

  function saveTrigger($at) {
    const payload = { widget: entryAt($at).code, pipeline_id: pipeline(), settings: values(dialog($at).find('form')) };
    trace.record('notification', { method: 'digital_pipeline', payload });
    dialog($at).empty();
  }

  function addBlock($at) {
    const entry = entryAt($at);
    const handler = entry.handlers.find((one) => one.code === $at.attr('data-handler'));
    dialog($at).html(String(bot(handler)));
    const params = Object.fromEntries(handler.fields.map((one) => [one.code, one.value]));
    const renderRow = (title, control) => String(row(title, html.raw(control)));
    const { value } = run(entry, 'salesbotDesignerSettings', dialog($at).find('.js-bot-body'), renderRow, params);
    const exits = ((value && value.exits) || []).map((one) => html`<li data-code="${one.code}">${one.title}</li>`);
    dialog($at).find('.js-bot-exits').html(String(html`${exits}`));
  }

  /** The callback answers with the bot's program as JSON text. */
  function saveBlock($at) {
    const entry = entryAt($at);
    const handler = dialog($at).find('[data-handler]').data('handler');
    const { value } = run(entry, 'onSalesbotDesignerSave', handler, values(dialog($at).find('form')));
    dialog($at).find('.js-bot-source').text(typeof value === 'string' ? value : '');
    const payload = { widget: entry.code, handler, source: trace.plain(value) };
    trace.record('notification', { method: 'salesbot', payload });
  }

  function show($holder) {
    $holder.html(String(html`<div id="list_page_holder" class="settings-page automation"><div class="list__body-right__top content__top__preset">
      <h1 class="list-top-title">${text('automation.title')}</h1></div><div class="js-automation automation__widgets"></div></div>`));
  }

  function draw(started) {
    if (here.place.view !== 'automation') return;
    entries = started.filter((entry) => entry.dp || entry.handlers.length || entry.is_source);
    const none = html`<p class="list__empty">${text('automation.none')}</p>`;
    $('.js-automation').html(String(entries.length ? html`${entries.map(section)}` : none));
  }

  function openSource($at) {
    const entry = entryAt($at);
    settingsWindow.open(entry, { source_id: pipeline(), external_id: `${entry.code}_${pipeline()}` });
  }

  const ON = {
    'trigger-add': addTrigger,
    'trigger-save': saveTrigger,
    'trigger-cancel': ($at) => dialog($at).empty(),
    'bot-add': addBlock,
    'bot-save': saveBlock,
    'source-add': ($at) => run(entryAt($at), 'onAddAsSource', pipeline()),
    'source-settings': openSource,
  };

  function bind() {
    Object.keys(ON).forEach((name) =>
      $(document).on('click.host-automation', `.automation .js-${name}`, (event) => ON[name]($(event.currentTarget))),
    );
    $(document).on('host:started', (event, started) => draw(started));
  }

  return { title: () => text('automation.title'), show, bind };
});
