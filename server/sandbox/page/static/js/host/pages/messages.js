/** Below the feed of a card: the ways of writing that widgets have added with `add_source`, and a new task. */
define(['jquery', 'host/app', 'host/html', 'host/icons', 'host/texts', 'host/sources', 'host/trace'], function (
  $,
  app,
  html,
  icon,
  text,
  sources,
  trace,
) {
  'use strict';

  const button = (source, index) => html`<button type="button" class="feed-compose-switcher__item js-source" data-type="${source.type}"
    data-code="${source.code}" data-index="${index}">${icon(source.type === 'sms' ? 'sms' : 'mail')}${text(`source.${source.type}`)}: ${source.text}</button>`;

  const buttons = () => html`${sources.all().map(button)}`;

  const markup = () => html`<div class="feed-compose-switcher"><button type="button" class="feed-compose-switcher__item js-task-new">${icon('todo')}${text('task.new')}</button>
    <span class="js-sources">${buttons()}</span></div><div class="feed-message js-message"></div>`;

  /** Numbers of the contacts on the card: [{phone, contact_id}]. */
  const numbers = () =>
    (app.data.current_card.contacts || []).flatMap((one) =>
      one.phones.map((phone) => ({ phone, contact_id: one.id, name: one.name })),
    );

  const smsForm = (index) => html`<form class="feed-message__form js-sms-form" data-index="${index}">
    <select class="text-input" name="to" aria-label="${text('source.to')}">${numbers().map(
      (one, at) => html`<option value="${at}">${one.phone} · ${one.name}</option>`,
    )}</select><textarea class="text-input" name="message" rows="2" required aria-label="${text('source.message')}"></textarea>
    <button type="submit" class="button-input button-input_blue"><span class="button-input-inner">${text('source.send')}</span></button>
    <em class="feed-message__state js-message-state" role="status"></em></form>`;

  function open($button) {
    const index = Number($button.data('index'));
    const source = sources.all()[index];
    const $place = $('.js-message').empty();
    if (source.type === 'sms') $place.html(String(smsForm(index)));
    else sources.run(source, $('<div class="feed-message__own js-source-body">').appendTo($place));
  }

  async function send($form) {
    const source = sources.all()[Number($form.data('index'))];
    const chosen = numbers()[Number($form.find('[name=to]').val())] || { phone: '', contact_id: null };
    const message = { phone: chosen.phone, message: $form.find('[name=message]').val(), contact_id: chosen.contact_id };
    const $state = $form.find('.js-message-state').text('');
    $form.find('[type=submit]').prop('disabled', true);
    try {
      await sources.send(source, message);
      $form.find('textarea').val('');
      $state.text(text('source.sent'));
    } catch (refusal) {
      trace.error(source.code, 'add_source:sms', refusal || new Error('rejected'));
      $state.text(text('source.not_sent'));
    }
    $form.find('[type=submit]').prop('disabled', false);
  }

  function bind() {
    $(document)
      .on('host:sources', () => $('.js-sources').html(String(buttons())))
      .on('click.host-messages', '.js-source', (event) => open($(event.currentTarget)))
      .on('submit.host-messages', '.js-sms-form', (event) => {
        event.preventDefault();
        send($(event.currentTarget));
      });
  }

  return { markup, bind };
});
