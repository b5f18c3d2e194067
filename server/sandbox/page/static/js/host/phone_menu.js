/** The menu on phone numbers and e-mail addresses, in cards and lists: widgets' actions, copy, edit. */
define(['jquery', 'host/app', 'host/actions', 'host/html', 'host/icons', 'host/texts', 'host/phone'], function (
  $,
  app,
  actions,
  html,
  icon,
  text,
  phone,
) {
  'use strict';

  const OPEN = 'is-opened';
  const KEYS = { ArrowDown: 1, ArrowUp: -1 };

  /** A filled value with its menu; `isCard` adds the inputs of the form and the item "edit". */
  function control(type, value, { isCard = false, name = '', placeholder = '' } = {}) {
    const shown = type === 'phone' ? phone.format(value) : value;
    const inputs = html`<input class="control-phone__formatted text-input control--suggest--input" type="text" value="${shown}"
          aria-label="${placeholder}" placeholder="${placeholder}" ${value ? html.raw('readonly') : ''} autocomplete="off">
        <input type="hidden" class="js-pei-value" data-type="${type}" name="${name}" value="${value}">`;
    const link = html`<button type="button" class="list-pei__value js-pei-open" aria-haspopup="menu">${shown}</button>`;
    return html`<div class="control-phone js-control-${type} js-linked-with-actions ${value ? 'js-linked-has-actions js-linked-has-value' : ''}"
          data-pei-code="${type}" data-value="${value}">${isCard ? inputs : link}
        <div class="tips js-tip js-tip-holder card-cf-actions-tip"><div class="tips__inner custom-scroll js-tip-items" role="menu"></div></div></div>`;
  }

  const item = (
    type,
    title,
    iconName,
    data = {},
  ) => html`<div class="tips-item js-tips-item js-cf-actions-item" role="menuitem" tabindex="-1"
      data-type="${type}" data-id="${data.id || ''}" data-forced="" data-value="${data.value || ''}" data-suggestion-type="">
      <span class="tips-icon-container"><span class="tips-icon">${icon(iconName)}</span></span>${title}</div>`;

  function itemsOf($control) {
    const type = $control.data('pei-code');
    const value = String($control.attr('data-value'));
    const own = actions
      .items(type)
      .map((one) => item(type, one.title, type === 'phone' ? 'call' : 'mail', { id: one.code, value }));
    const copy = item('copy', text('pei.copy'), 'copy', { value });
    return own.concat(copy, $control.find('input').length ? item('edit', text('pei.edit'), 'edit', { value }) : []);
  }

  const $opened = () => $(`.js-tip.${OPEN}`);

  function close() {
    $opened().removeClass(OPEN).closest('.js-linked-with-actions').removeClass('is-menu-open');
  }

  function open($control) {
    close();
    const $tip = $control.children('.js-tip');
    $tip.find('.js-tip-items').html(String(html`${itemsOf($control)}`));
    $control.addClass('is-menu-open');
    $tip.addClass(OPEN).trigger('tip:show');
  }

  /** The form or row model behind a control; missing where there is none, as in amoCRM. */
  function modelOf($control) {
    const row = $control.closest('[data-row-id]').data('row-id');
    if (row !== undefined && app.data.current_list) return app.data.current_list.get(row);
    const form = $control.closest('.linked-form').data('model');
    return form || (app.data.current_card ? app.data.current_card.model : undefined);
  }

  function choose($item) {
    const $control = $item.closest('.js-linked-with-actions');
    const { type, id, value } = {
      type: $item.attr('data-type'),
      id: $item.attr('data-id'),
      value: $item.attr('data-value'),
    };
    close();
    if (type === 'copy') navigator.clipboard.writeText(value).catch(() => {});
    else if (type === 'edit')
      $control.find('.control-phone__formatted').prop('readonly', false).val(value).trigger('focus');
    else actions.run(type, id, value, modelOf($control));
  }

  function onKey(event) {
    const $items = $opened().find('.js-tips-item');
    if (!$items.length) return;
    if (event.key === 'Escape') close();
    if (event.key === 'Enter') $items.filter(document.activeElement).trigger('click');
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    const next = $items.index(document.activeElement) + KEYS[event.key];
    $items.eq((next + $items.length) % $items.length).trigger('focus');
  }

  function bind() {
    $(document)
      .on('click.host-pei', '.js-linked-has-actions .control-phone__formatted[readonly], .js-pei-open', (event) => {
        event.stopPropagation();
        open($(event.currentTarget).closest('.js-linked-with-actions'));
      })
      .on('keydown.host-pei', '.js-linked-has-actions .control-phone__formatted[readonly]', (event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault(); // Enter would send the card's form
        event.stopPropagation();
        open($(event.currentTarget).closest('.js-linked-with-actions'));
      })
      .on('click.host-pei', '.js-cf-actions-item', (event) => {
        event.stopPropagation();
        choose($(event.currentTarget));
      })
      .on('input.host-pei', '.control-phone__formatted:not([readonly])', (event) => {
        const $input = $(event.currentTarget);
        $input.siblings('.js-pei-value').val($input.val()).trigger('change');
      })
      .on('keydown.host-pei', onKey)
      .on('click.host-pei', close);
  }

  return { control, bind };
});
