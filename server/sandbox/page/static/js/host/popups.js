/** How notifications look: cards above the left menu's foot, and the notification centre behind the bell. */
define(['jquery', 'host/html', 'host/icons', 'host/texts', 'lib/components/base/player', 'moment'], function (
  $,
  html,
  icon,
  text,
  player,
  moment,
) {
  'use strict';

  const MESSAGE_MS = 8000; // a message that belongs to no feed leaves by itself
  const STACK = 4; // cards on screen at once; older ones stay in the centre
  let serial = 0;

  const time = (seconds) => moment.unix(Number(seconds) || Date.now() / 1000).format('HH:mm');

  function card({ id, kind, title, rows, at, extra }) {
    return $(
      String(html`<div class="notification__item notification-inner notification-inner_${kind} notification-${kind}"
          data-id="${id}" role="${kind === 'error' ? 'alert' : 'status'}">
        <span class="notification-inner__icon">${icon(kind === 'message' ? 'robot' : kind)}</span>
        <div class="notification-inner__body notification-${kind}__body">
          ${title ? html`<div class="notification-inner__title notification-${kind}__title">${html.raw(title)}</div>` : ''}
          ${rows.map((row) => html`<div class="notification-inner__row notification-${kind}__row ${row.class_height || ''}">${html.raw(row.text)}</div>`)}
          ${extra || ''}
        </div>
        <time class="notification-inner__time">${time(at)}</time>
        <button type="button" class="notification-inner__close js-notification-close" aria-label="${text('notifications.close')}">×</button>
      </div>`),
    );
  }

  function kindOf(body) {
    return body.icon && body.icon.error ? 'error' : 'call';
  }

  function fromNotification(notification) {
    const body = notification.body || {};
    const call = body.call || {};
    const buttons = (notification.buttons || []).map(
      (button) => html`<a class="notification-inner__button js-navigate-link js-notification-go"
        href="${button.web_link || button.url}">${button.title}</a>`,
    );
    const $card = card({
      id: notification.id,
      kind: kindOf(body),
      title: html.escape(body.title || ''),
      rows: body.rows || [],
      at: notification.created_at,
      extra: html`${call.link ? player.markup(call.link, call.duration) : ''}${buttons.length ? html`<div>${buttons}</div>` : ''}`,
    });
    const link = notification.web_link || (notification.click && notification.click.value);
    if (link) $card.attr('data-href', link).addClass('notification-inner_clickable');
    return $card;
  }

  const $stack = () => $('#notifications_popups');
  const $list = () => $('#notifications_center .js-notifications-list');

  function push($card) {
    $stack().append($card);
    $stack().children().slice(0, -STACK).remove();
  }

  function counted() {
    const count = $list().children('.notification__item').length;
    $('.js-notifications-counter')
      .text(count || '')
      .toggleClass('is-visible', count > 0);
    $('#notifications_center').toggleClass('is-empty', count === 0);
  }

  /** A stored notification: a card on screen unless silent, and a line in the centre. */
  function add(notification, { silent }) {
    if (!silent && !notification.silent) push(fromNotification(notification));
    $list().prepend(fromNotification(notification));
    counted();
  }

  function fill(notifications) {
    $list().append(notifications.map(fromNotification));
    counted();
  }

  /** A message on this screen only. */
  function message(kind, content) {
    const $card = card({
      id: `local-${++serial}`,
      kind,
      title: content.without_header ? '' : content.header || '',
      at: content.date,
      rows: [{ text: content.text || '' }],
    });
    if (content.link) $card.attr('data-href', content.link).addClass('notification-inner_clickable');
    if (content.icon) $card.find('.notification-inner__icon').html(String(html`<img src="${content.icon}" alt="">`));
    push($card);
    setTimeout(() => $card.remove(), MESSAGE_MS);
  }

  function bind({ close, clear }) {
    const $document = $(document);
    $document.on('click.host-notices', '.js-notification-close', (event) => {
      event.stopPropagation();
      const id = String($(event.currentTarget).closest('.notification__item').data('id'));
      $('.notification__item')
        .filter((index, item) => String($(item).data('id')) === id)
        .remove();
      counted();
      if (!id.startsWith('local-')) close([id]);
    });
    $document.on('click.host-notices', '.notification-inner_clickable', (event) => {
      if ($(event.target).closest('a, button, audio, .player').length) return;
      $('<a class="js-navigate-link">')
        .attr('href', $(event.currentTarget).attr('data-href'))
        .appendTo('body')
        .trigger('click')
        .remove();
    });
    $document.on('click.host-notices', '.js-notifications-clear', () => {
      $list().empty();
      $stack().empty();
      counted();
      clear();
    });
    $document.on('click.host-notices', '.js-notifications-toggle', toggle);
    $document.on('keydown.host-notices', (event) => {
      if (event.key === 'Escape' && $('#notifications_center').hasClass('is-open')) toggle();
    });
  }

  function toggle() {
    const isOpen = $('#notifications_center').toggleClass('is-open').hasClass('is-open');
    $('.js-notifications-toggle').attr('aria-expanded', String(isOpen));
  }

  return { add, fill, message, bind };
});
