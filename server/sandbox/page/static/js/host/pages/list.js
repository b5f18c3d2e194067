/** Lists of contacts, companies, leads, customers and tasks: check boxes, tool bar, "more" with the widgets' items. */
define([
  'jquery',
  'backbone',
  'underscore',
  'host/announce',
  'host/app',
  'host/here',
  'host/net',
  'host/html',
  'host/icons',
  'host/texts',
  'host/phone_menu',
  'host/right_column',
  'host/trace',
  'host/pages/columns',
], function ($, Backbone, _, announce, app, here, net, html, icon, text, phoneMenu, rightColumn, trace, columns) {
  'use strict';

  const CALLBACK = { todo: ['todo', 'tasks'] }; // older widgets call it tasks
  const LIST_URL = { contacts: '/ajax/contacts/list/contacts/', companies: '/ajax/contacts/list/companies/' };
  const Row = Backbone.Model.extend({ defaults: { checked: false } });
  const Rows = Backbone.Collection.extend({ model: Row });

  const title = (place) => text(`list.${place.entity}`);

  function header(place, data) {
    const term = place.query.get('term') || '';
    return html`<div class="content__top__preset list__body-right__top js-list-top">
      <h1 class="list-top-title content__top__preset__caption">${title(place)}</h1>
      <form class="list-top-search js-search" role="search">${icon('search')}<input type="search" name="term" value="${term}"
        placeholder="${text('list.search')}" aria-label="${text('list.search')}"></form>
      <span class="list-top-summary">${text('list.total', { count: data.total })}</span>
      <div class="list__body-right__top__buttons list__top__actions">${columns.tabs(place.entity)}${columns.addButton(place.entity)}</div></div>`;
  }

  function row(model, shown) {
    const id = model.id;
    return html`<tr class="list-row js-list-row" data-row-id="${id}" data-id="${id}">
      <td class="list-row__cell list-row__cell-id"><label class="control-checkbox"><input type="checkbox" class="js-item-checkbox" value="${id}"
        aria-label="${text('list.check')} ${model.get('name').text}"><span class="control-checkbox__helper"></span></label></td>
      ${shown.map((column) => html`<td class="list-row__cell list-row__cell-${column.key}">${column.show(model, phoneMenu)}</td>`)}</tr>`;
  }

  function table(place, models) {
    const shown = columns.of(place.entity);
    return html`<table id="list_table" class="list__table js-list-table"><thead><tr><th class="list-row__cell-id"><label class="control-checkbox">
        <input type="checkbox" class="js-list-all" aria-label="${text('list.check_all')}"><span class="control-checkbox__helper"></span></label></th>
        ${shown.map((column) => html`<th scope="col">${text(`column.${column.key}`)}</th>`)}</tr></thead>
      <tbody>${models.map((model) => row(model, shown))}</tbody></table>
      ${models.length ? '' : html`<p class="list__empty">${text('list.empty')}</p>`}`;
  }

  function pager(place, data) {
    if (data.pages < 2) return '';
    const go = (page) => {
      const query = new URLSearchParams(place.query);
      query.set('page', page);
      return `${place.path}?${query}`;
    };
    const step = (page, label, isOn) =>
      isOn
        ? html`<a class="js-navigate-link pager__link" href="${go(page)}">${label}</a>`
        : html`<span class="pager__link">${label}</span>`;
    return html`<nav class="list-pager" aria-label="${text('list.pages')}">${step(data.page - 1, '‹', data.page > 1)}
      <span>${data.page} / ${data.pages}</span>${step(data.page + 1, '›', data.page < data.pages)}</nav>`;
  }

  const toolbarItem = (
    type,
    name,
    label,
  ) => html`<div class="list-multiple-actions__item js-list-multiple-actions__item" data-type="${type}" role="button"
    tabindex="0">${icon(name)}<span>${label}</span></div>`;

  function toolbar() {
    return html`<div id="list_multiple_actions" class="list-multiple-actions" role="toolbar" aria-label="${text('list.actions')}">
      <span class="list-multiple-actions__count js-selected-count" aria-live="polite"></span>
      ${toolbarItem('delete', 'trash', text('list.delete'))}
      <div class="list-multiple-actions__item list-multiple-actions__item__more-btn js-list-multiple-actions__item js-list-more" data-type="more"
        role="button" tabindex="0" aria-haspopup="menu" aria-expanded="false">${icon('more')}<span>${text('list.more')}</span></div>
      <div class="list-multiple-actions__more js-list-more-items" role="menu"></div></div>`;
  }

  async function show($holder, place) {
    const query = { page: place.query.get('page') || 1, term: place.query.get('term') || '' };
    const data = await net.get(`/ajax/page/list/${place.entity}`, query);
    const rows = new Rows(data.items);
    rows.url = LIST_URL[place.entity] || `/ajax/${place.entity}/list/`;
    app.data.current_list = rows;
    app.data.current_view = { $el: $holder, collection: rows };
    $holder.html(
      String(html`<div id="list_page_holder" class="list-page">${header(place, data)}${toolbar()}
      <div class="list__wrapper">${table(place, rows.models)}</div>${pager(place, data)}</div>${rightColumn.markup(true)}`),
    );
  }

  /** The callback of a widget for this list: `contacts.selected`, …; companies fall back on contacts, whose list they share. */
  function selectedOf(widget) {
    const names =
      CALLBACK[here.place.entity] || (here.place.entity === 'companies' ? ['companies', 'contacts'] : [here.place.entity]);
    const found = names.find((name) => widget.callbacks[name] && typeof widget.callbacks[name].selected === 'function');
    return found && { name: `${found}.selected`, run: () => widget.callbacks[found].selected() };
  }

  const widgetsHere = () => _.values(app.widgets.list).filter(selectedOf);

  function moreItems() {
    return html`${widgetsHere().map(
      (widget) => html`<div class="list-multiple-actions__more-item js-list-more-widget" role="menuitem" tabindex="-1"
      data-code="${widget.params.widget_code}">${widget.i18n('widget.name') || widget.params.widget_code}</div>`,
    )}
      ${widgetsHere().length ? '' : html`<div class="list-multiple-actions__more-empty">${text('list.no_widgets')}</div>`}`;
  }

  function toggleMore(open) {
    const $items = $('.js-list-more-items').toggleClass('is-opened', open);
    $('.js-list-more').attr('aria-expanded', String(open));
    if (!open) return;
    $items.html(String(moreItems()));
    $items.find('[role=menuitem]').first().trigger('focus');
  }

  function runSelected(code) {
    toggleMore(false);
    const widget = app.widgets.list[code];
    const callback = widget && selectedOf(widget);
    if (callback) trace.run(code, callback.name, callback.run);
    if ($('#widgets_block').find(`[data-code="${code}"]`).length) rightColumn.overlay(true);
  }

  function mark() {
    const rows = app.data.current_list;
    $('.js-item-checkbox').each((index, box) => {
      rows.get(box.value).set('checked', box.checked);
      $(box).closest('tr').toggleClass('list-row_selected', box.checked);
    });
    const count = rows.where({ checked: true }).length;
    $('.js-list-all')
      .prop('checked', count > 0 && count === rows.length)
      .prop('indeterminate', count > 0 && count < rows.length);
    $('#list_multiple_actions').toggleClass('is-visible', count > 0);
    $('.js-selected-count').text(text('list.selected', { count }));
    toggleMore(false);
    announce('list:checked', [count]);
  }

  async function removeChecked() {
    const ids = app.data.current_list.where({ checked: true }).map((model) => model.id);
    const action = {
      entity_type: app.element_types[here.place.entity],
      multiaction_type: 4,
      ids,
      data: { data: { ACTION: 'DELETE' } },
    };
    await net.post('/ajax/v1/multiactions/set', { request: { multiactions: { add: [action] } } });
    app.router.navigate(location.pathname + location.search, { trigger: true, replace: true });
  }

  function bind() {
    $(document)
      .on('change.host-list', '.js-item-checkbox', mark)
      .on('change.host-list', '.js-list-all', (event) => {
        $('.js-item-checkbox').prop('checked', event.currentTarget.checked);
        mark();
      })
      .on('click.host-list', '.js-list-more', () => toggleMore(!$('.js-list-more-items').hasClass('is-opened')))
      .on('click.host-list', '.js-list-more-widget', (event) => runSelected($(event.currentTarget).data('code')))
      .on('click.host-list', '.js-list-multiple-actions__item[data-type=delete]', removeChecked)
      .on('keydown.host-list', '#list_multiple_actions [role]', (event) => {
        if (event.key === 'Enter' || event.key === ' ') $(event.target).trigger('click');
        if (event.key === 'Escape') toggleMore(false);
      });
  }

  return { title, show, bind };
});
