/** The feed of a card: notes, calls with a player, a box for a new note. */
define([
  'jquery',
  'host/net',
  'host/html',
  'host/icons',
  'host/texts',
  'host/phone',
  'lib/components/base/player',
  'moment',
  'host/trace',
  'host/socket',
  'host/app',
  'host/pages/messages',
  'host/pages/task_form',
], function ($, net, html, icon, text, phone, player, moment, trace, socket, app, messages, taskForm) {
  'use strict';

  const CALLS = ['call_in', 'call_out'];
  let unlisten = () => {};

  function call(note) {
    const { params } = note;
    const isIn = note.note_type === 'call_in';
    const who = isIn
      ? text('note.from', { phone: phone.format(params.phone) })
      : text('note.to', { phone: phone.format(params.phone) });
    const body = html`<div class="feed-note__call-content">${icon(note.note_type)}<span class="feed-note__call-status">${text(`note.${note.note_type}`)} ${who}
      ${params.call_result ? html`<em>${params.call_result}</em>` : ''}</span>
      ${params.link ? player.markup(params.link, params.duration) : html`<span class="feed-note__call-duration">${params.duration ? player.format(params.duration) : text('note.no_talk')}</span>`}</div>`;
    return wrap(note, `call_in_out feed-note-wrapper-${note.note_type}`, body);
  }

  const wrap = (
    note,
    kind,
    body,
  ) => html`<div class="feed-note-wrapper feed-note-wrapper-${kind} js-note" data-id="${note.id}">
    <div class="feed-note"><div class="feed-note__header"><time>${moment.unix(note.created_at).format('DD.MM.YYYY HH:mm')}</time>
      <span>${note.author}</span></div><div class="feed-note__body">${body}</div></div></div>`;

  function one(note) {
    if (CALLS.includes(note.note_type)) return call(note);
    const { params } = note;
    return wrap(
      note,
      note.note_type,
      html`<p class="feed-note__text">${params.service ? html`<b>${params.service}</b> ` : ''}${params.text || note.note_type}</p>`,
    );
  }

  const items = (notes) =>
    html`${notes.map(one)}${notes.length ? '' : html`<p class="notes-wrapper__empty">${text('note.empty')}</p>`}`;

  function markup(data) {
    const compose = data.id
      ? html`${messages.markup()}<form class="feed-compose js-note-form"><textarea name="text" rows="2" aria-label="${text('note.new')}"
      placeholder="${text('note.new')}"></textarea><button type="submit" class="button-input"><span class="button-input-inner">${text('note.add')}</span></button></form>`
      : '';
    return html`<div class="notes-wrapper card-holder__feed"><div class="notes-wrapper__scroller"><div class="js-notes notes-wrapper__notes">${items(data.notes)}</div></div>${compose}</div>`;
  }

  async function reload(data) {
    const fresh = await net.get(`/ajax/page/card/${data.entity}/${data.id}`);
    if (!app.data.current_card || app.data.current_card.id !== data.id) return;
    $('.js-notes').html(String(items(fresh.notes)));
    app.data.card_page.notes.update(fresh.notes);
  }

  async function add(data, $form) {
    const written = $form.find('textarea').val().trim();
    if (!written) return;
    try {
      await $.ajax({
        url: `/api/v4/${data.entity}/${data.id}/notes`,
        method: 'POST',
        contentType: 'application/json',
        data: JSON.stringify([{ note_type: 'common', params: { text: written } }]),
      });
      $form.find('textarea').val('');
      await reload(data);
    } catch (request) {
      trace.error(null, 'note', new Error(`HTTP ${request.status}`));
    }
  }

  /** @param {() => object} current the data of the card on screen */
  function bind(current) {
    messages.bind();
    taskForm.bind();
    $(document)
      .on('submit.host-notes', '.js-note-form', (event) => {
        event.preventDefault();
        add(current(), $(event.currentTarget));
      })
      .on('card:notes:reload', () => reload(current()))
      .on('widgets:load', () => {
        unlisten();
        unlisten = () => {};
        const data = current();
        if (app.data.is_card && data.id)
          unlisten = socket.listen(`${data.entity}:card:${data.id}`, null, () => reload(data));
      });
  }

  return { markup, bind };
});
