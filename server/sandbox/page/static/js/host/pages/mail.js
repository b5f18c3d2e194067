/** A new letter; `to` comes with the address. Letters stay in the sandbox: they are kept in its log. */
define(['jquery', 'host/html', 'host/texts', 'host/trace'], function ($, html, text, trace) {
  'use strict';

  const field = (name, type, value) => html`<label class="mail-form__row"><span>${text(`mail.${name}`)}</span>
    <input class="text-input" type="${type}" name="${name}" value="${value}"></label>`;

  function show($holder, place) {
    $holder.html(
      String(html`<div id="list_page_holder" class="mail-page"><div class="list__body-right__top"><h1 class="list-top-title">${text('mail.title')}</h1></div>
      <form class="mail-form js-mail-form">${field('to', 'email', place.query.get('to') || '')}${field('subject', 'text', place.query.get('subject') || '')}
      <textarea name="body" rows="10" class="text-input" aria-label="${text('mail.body')}"></textarea>
      <button type="submit" class="button-input button-input_blue"><span class="button-input-inner">${text('mail.send')}</span></button>
      <p class="js-mail-sent" role="status"></p></form></div>`),
    );
    $holder.find('.js-mail-form').on('submit', (event) => {
      event.preventDefault();
      const letter = Object.fromEntries(new FormData(event.currentTarget));
      trace.record('notification', { method: 'mail', payload: letter });
      $holder.find('.js-mail-sent').text(text('mail.sent'));
    });
  }

  return { title: () => text('mail.title'), show };
});
