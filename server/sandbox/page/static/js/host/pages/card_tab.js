/**
 * The tab a widget of location `card_sdk` has in a card: its goods, found and linked through the widget's callbacks
 * loadPreloadedData, loadElements, searchDataInCard and linkCard. What `linkCard` gets is not documented in detail.
 */
define(['jquery', 'host/app', 'host/here', 'host/html', 'host/texts', 'host/trace'], function (
  $,
  app,
  here,
  html,
  text,
  trace,
) {
  'use strict';

  let linked = []; // rows of the open tab: {id, sku, name, price, quantity}
  let found = [];
  let changes = []; // for linkCard

  const goods = (answer) =>
    (Array.isArray(answer) ? answer : Object.values(answer || {})).filter((row) => row && row.id);
  const element = () => ({ id: app.data.current_card.id, type: app.data.current_card.element_type });

  const tab = (code, name) =>
    html`<button type="button" role="tab" aria-selected="false" class="card-tabs__item js-card-tab" data-tab="${code}" data-id="${code}">${name || code}</button>`;

  const panel = (code) => html`<div class="card-tab js-card-panel" data-tab="${code}" hidden>
    <div class="js-goods card-tab__goods"></div><input type="search" class="text-input js-goods-search" placeholder="${text('goods.search')}"
      aria-label="${text('goods.search')}"><div class="js-goods-found card-tab__found"></div>
    <button type="button" class="button-input button-input_blue js-goods-save" disabled><span class="button-input-inner">${text('card.save')}</span></button></div>`;

  const line = (row, tail) => html`<div class="card-tab__row" data-id="${row.id}"><span>${row.name}</span>
    <small>${row.sku || ''}</small><b>${row.price || ''}</b>${tail}</div>`;

  const linkedLine = (row) =>
    line(
      row,
      html`<input class="text-input js-goods-quantity" type="number" min="1" value="${row.quantity || 1}"
        aria-label="${text('goods.quantity')}"><button type="button" class="button-cancel js-goods-unlink"
        aria-label="${text('goods.unlink')}">×</button>`,
    );

  const foundLine = (row) =>
    line(row, html`<button type="button" class="button-input js-goods-link">${text('goods.link')}</button>`);

  function paint($panel) {
    $panel.find('.js-goods').html(String(html`${linked.map(linkedLine)}`));
    $panel.find('.js-goods-found').html(String(html`${found.map(foundLine)}`));
    $panel.find('.js-goods-save').prop('disabled', changes.length === 0);
  }

  /** Runs one of the callbacks; null when it throws or rejects, which is recorded. */
  async function ask(code, name, ...args) {
    const widget = app.widgets.list[code];
    if (!widget || typeof widget.callbacks[name] !== 'function') return [];
    const answer = trace.run(code, name, () => widget.callbacks[name](...args), args);
    if (answer.failed) return null;
    try {
      return goods(await answer.value);
    } catch (refusal) {
      trace.error(code, name, refusal || new Error('rejected'));
      return null;
    }
  }

  const rows = async (...asked) => (await ask(...asked)) || [];

  async function open(code) {
    $('.js-card-panel').each((index, one) => $(one).prop('hidden', one.dataset.tab !== code));
    $('.js-card-tab').each((index, one) => {
      const isOpen = one.dataset.tab === code;
      $(one).toggleClass('is-active', isOpen).attr('aria-selected', String(isOpen));
    });
    if (code === 'main') return;
    changes = [];
    [found, linked] = await Promise.all([
      rows(code, 'loadPreloadedData'),
      rows(code, 'loadElements', element(), element().id),
    ]);
    paint($(`.js-card-panel[data-tab="${code}"]`));
  }

  const note = (action, row) => {
    changes = changes.filter((one) => one.to_id !== row.id).concat({
      action,
      from: here.place.entity,
      from_id: app.data.current_card.id,
      to_id: row.id,
      quantity: row.quantity || 1,
    });
  };

  function act($panel, id, kind, quantity) {
    const row = (kind === 'link' ? found : linked).find((one) => String(one.id) === String(id));
    if (kind === 'link') linked = linked.filter((one) => one.id !== row.id).concat(Object.assign({ quantity: 1 }, row));
    if (kind === 'unlink') linked = linked.filter((one) => one !== row);
    if (kind === 'quantity') row.quantity = quantity;
    note(kind === 'unlink' ? 'unlink' : 'link', row);
    paint($panel);
  }

  async function search($panel, query) {
    const { type, id } = element();
    const asked = query ? ['searchDataInCard', query, type, id] : ['loadPreloadedData'];
    found = await rows($panel.data('tab'), ...asked);
    paint($panel);
  }

  async function save($panel) {
    if (await ask($panel.data('tab'), 'linkCard', changes)) changes = []; // what was refused can be sent again
    paint($panel);
  }

  /** The tabs of the widgets that run on this card. */
  function draw(entries) {
    if (here.place.view !== 'card' || !here.place.id) return;
    entries
      .filter((entry) => entry.has_card_tab && app.widgets.list[entry.code])
      .forEach((entry) => {
        $('.js-card-tabs').append(String(tab(entry.code, entry.name)));
        $('#edit_card > .card-entity-form').append(String(panel(entry.code)));
      });
  }

  const inPanel = (action) => (event) => {
    const $at = $(event.currentTarget);
    action($at.closest('.js-card-panel'), $at.closest('[data-id]').data('id'), $at);
  };

  function bind() {
    $(document)
      .on('host:started', (event, entries) => draw(entries))
      .on('click.host-goods', '.js-card-tab', (event) => open(event.currentTarget.dataset.tab))
      .on('click.host-goods', '.js-goods-link', inPanel(($panel, id) => act($panel, id, 'link')))
      .on('click.host-goods', '.js-goods-unlink', inPanel(($panel, id) => act($panel, id, 'unlink')))
      .on(
        'change.host-goods',
        '.js-goods-quantity',
        inPanel(($panel, id, $at) => act($panel, id, 'quantity', Number($at.val()))),
      )
      .on('keydown.host-goods', '.card-tab input', (event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault(); // Enter would send the card's form
        $(event.currentTarget).trigger('goods:search');
      })
      .on('goods:search', '.js-goods-search', inPanel(($panel, id, $at) => search($panel, $at.val().trim())))
      .on('click.host-goods', '.js-goods-save', inPanel(save));
  }

  return { bind };
});
