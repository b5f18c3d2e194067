/** Cards of leads, contacts, companies and customers: fields left, feed in the middle, widgets right. */
define([
  'jquery',
  'host/app',
  'host/net',
  'host/html',
  'host/icons',
  'host/texts',
  'host/right_column',
  'host/pages/card_model',
  'host/pages/fields',
  'host/pages/notes',
  'host/pages/card_tab',
  'lib/components/notes/notes',
  'host/trace',
], function ($, app, net, html, icon, text, rightColumn, cardModel, fields, notes, cardTab, feed, trace) {
  'use strict';

  const LINKED = ['contacts', 'companies', 'leads', 'customers'];
  const FORMS = ['contacts', 'companies']; // shown with their fields; deals and customers as lines
  let current = null;

  const title = () => (current && current.name) || text('card.new');

  function head(data) {
    const tags = data.tags.map((tag) => html`<span class="card-tag">#${tag.name}</span>`);
    return html`<div class="card-holder__top card-fields__top card-entity-form__top"><a class="js-navigate-link card-fields__back" href="/${data.entity}/list/"
        aria-label="${text('card.back')}">${icon('back')}</a>
      <div class="control-fullname card-fields__name"><input class="text-input js-card-name" name="${cardModel.prefix(data.entity)}[NAME]"
        id="person_name" value="${data.name}" placeholder="${text(`add.${data.entity}`)}" aria-label="${text('field.name')}" title="${data.name}"></div>
      ${data.id ? html`<span class="card-fields__id">#${data.id}</span>` : ''}
      <div class="card-fields__tags">${tags}</div>${data.status ? status(data) : ''}</div>`;
  }

  function status(data) {
    return html`<div class="card-status linked-form__field_status linked-form__field_status-lead" style="--status: ${data.status.color}"><div class="card-status__pipeline">${data.pipeline}</div>
      <div class="card-status__name">${data.status.name}</div>
      <div class="card-status__bar">${data.statuses.map((one) => html`<span class="${one.is_passed ? 'is-passed' : ''}" title="${one.name}"></span>`)}</div></div>`;
  }

  function linkedForm(entity, one) {
    return html`<div class="linked-form js-linked-form" data-id="${one.id}" data-entity="${entity}">
      <div class="linked-form__head"><span class="linked-form__icon" aria-hidden="true">${icon(entity)}</span>
        <a class="js-navigate-link linked-form__name" href="/${entity}/detail/${one.id}">${one.name}</a></div>
      <div class="linked-form__fields">${fields.peis(one)}</div></div>`;
  }

  const linkedLine = (entity, one) => html`<a class="js-navigate-link linked-line" href="/${entity}/detail/${one.id}">
    <span class="linked-line__name">${one.name}</span><span class="linked-line__more">${one.note || ''}</span></a>`;

  function linked(data) {
    return LINKED.filter((entity) => (data[entity] || []).length).map(
      (entity) => html`<section class="card-linked card-linked_${entity}">
      <h2 class="card-linked__title">${text(`list.${entity}`)}</h2>
      ${data[entity].map((one) => (FORMS.includes(entity) ? linkedForm(entity, one) : linkedLine(entity, one)))}</section>`,
    );
  }

  function markup(data) {
    return html`<div id="card_fake"></div><div id="card_holder" class="card-holder card-holder_${data.entity}">
      <div class="card-fields card-holder__fields"><div class="card-fields__fields-block"><form id="edit_card" autocomplete="off"><div class="card-entity-form">${head(data)}
        <div class="card-fields__tabs card-tabs js-card-tabs" role="tablist"><button type="button" role="tab" aria-selected="true"
          class="is-active card-tabs__item js-card-tab" data-tab="main" data-id="default">${text('card.main')}</button></div><div class="js-card-panel" data-tab="main">
        <input type="hidden" name="ID" value="${data.id}"><input type="hidden" name="ELEMENT_TYPE" value="${data.element_type}">
        <div class="card-entity-form__main-fields js-card-main-fields"><div class="card-entity-form__fields">
          <div class="linked-forms__group-wrapper linked-forms__group-wrapper_main js-cf-group-wrapper" data-id="default">
          <div class="card-cf-table-main linked-form__fields js-card-fields">${fields.own(data)}</div></div></div></div>${linked(data)}
        <div class="card-fields__save js-card-save-bar"><button type="submit" class="button-input button-input_blue js-card-save">
          <span class="button-input-inner">${text('card.save')}</span></button>
          <button type="button" class="button-cancel js-card-cancel">${text('modal.cancel')}</button>
          <em class="card-fields__error js-card-error" role="alert"></em></div></div></div></form></div></div>
      ${notes.markup(data)}${rightColumn.markup(false)}</div>`;
  }

  async function show($holder, place) {
    const url = `/ajax/page/card/${place.entity}/${place.id}`;
    current = await net.get(
      url,
      place.id ? {} : { phone: place.query.get('phone') || '', name: place.query.get('name') || '' },
    );
    $holder.html(String(markup(current)));
    app.data.is_card = true;
    app.data.current_card = cardModel.make(current, { save, isChanged });
    const view = new feed.View({ el: '.notes-wrapper', notes: current.notes });
    app.data.card_page = { notes: view, el: $('#card_holder')[0] };
    app.constant('card_id', current.id);
    app.data.current_view = { $el: $('#card_holder') };
    $('.js-linked-form').each((index, form) => {
      const { entity, id } = form.dataset;
      $(form).data(
        'model',
        cardModel.linkedForm(
          entity,
          current[entity].find((one) => String(one.id) === id),
        ),
      );
    });
    if (!place.id) changed();
  }

  const changed = () => $('.js-card-save-bar').addClass('is-visible');
  const isChanged = () => $('.js-card-save-bar').hasClass('is-visible');

  /** Saves through the API with the page's session, as a script on the page would; `afterSave` gets {id, name}. */
  async function save({ afterSave } = {}) {
    const body = fields.read($('#edit_card'), current);
    const isNew = !current.id;
    try {
      const answer = await $.ajax({
        url: `/api/v4/${current.entity}${isNew ? '' : `/${current.id}`}`,
        method: isNew ? 'POST' : 'PATCH',
        dataType: 'json',
        contentType: 'application/json',
        data: JSON.stringify(isNew ? [body] : body),
      });
      const id = isNew ? answer._embedded[current.entity][0].id : current.id;
      if (isNew) app.router.navigate(`/${current.entity}/detail/${id}`, { trigger: true, replace: true });
      else await saved();
      if (typeof afterSave === 'function')
        trace.run(null, 'afterSave', () => afterSave({ id, name: body.name }), [{ id }]);
    } catch (request) {
      trace.error(null, 'card save', new Error(`HTTP ${request.status} ${request.responseText || ''}`));
      $('.js-card-error').text(text('card.not_saved', { status: request.status }));
    }
  }

  /** The card stays as it is, with what widgets have put into it; only its own fields are drawn anew. */
  async function saved() {
    current = await net.get(`/ajax/page/card/${current.entity}/${current.id}`);
    cardModel.refresh(app.data.current_card, current);
    $('.js-card-fields').html(String(fields.own(current)));
    $('.js-card-error').text('');
    $('.js-card-save-bar').removeClass('is-visible');
  }

  function bind() {
    notes.bind(() => current);
    cardTab.bind();
    $(document)
      .on('input.host-card change.host-card', '#edit_card', (event) => {
        if (!$(event.target).closest('.card-tab').length) changed();
      })
      .on('submit.host-card', '#edit_card', (event) => {
        event.preventDefault();
        save();
      })
      .on('click.host-card', '.js-card-cancel', () =>
        app.router.navigate(location.pathname + location.search, { trigger: true, replace: true }),
      );
  }

  return { title, show, bind };
});
