/** What each list shows in its columns and offers in its head. */
define(['host/html', 'host/icons', 'host/texts', 'moment'], function (html, icon, text, moment) {
  'use strict';

  const money = (amount) => `${Number(amount || 0).toLocaleString('ru-RU')} ₽`;
  const link = (place) =>
    place && place.text ? html`<a class="js-navigate-link list-row__link" href="${place.url}">${place.text}</a>` : '';
  const pei = (type) => (model, menu) =>
    html`${(model.get(`${type}s`) || []).slice(0, 2).map((value) => menu.control(type, value))}`;

  const COLUMN = {
    name: { key: 'name', show: (model) => link(model.get('name')) },
    company: {
      key: 'company',
      show: (model) => link({ text: model.get('company_name').name, url: model.get('company_name').url }),
    },
    phone: { key: 'phone', show: pei('phone') },
    email: { key: 'email', show: pei('email') },
    contact: { key: 'contact', show: (model) => link(model.get('contact')) },
    responsible: { key: 'responsible', show: (model) => model.get('responsible') },
    price: { key: 'price', show: (model) => money(model.get('price')) },
    status: {
      key: 'status',
      show: (model) =>
        html`<span class="status-label" style="--status: ${(model.get('status') || {}).color || '#c3c8cf'}">${(model.get('status') || {}).name || ''}</span>`,
    },
    created: { key: 'created', show: (model) => moment.unix(model.get('created_at')).format('DD.MM.YYYY') },
    till: { key: 'till', show: (model) => moment.unix(model.get('complete_till')).format('DD.MM.YYYY HH:mm') },
    entity: { key: 'entity', show: (model) => link(model.get('entity')) },
  };

  const OF = {
    contacts: ['name', 'company', 'phone', 'email', 'responsible'],
    companies: ['name', 'phone', 'email', 'responsible', 'created'],
    leads: ['name', 'contact', 'company', 'phone', 'status', 'price', 'responsible'],
    customers: ['name', 'contact', 'phone', 'price', 'responsible'],
    todo: ['name', 'entity', 'till', 'responsible'],
  };
  const TABS = { contacts: ['contacts', 'companies'], companies: ['contacts', 'companies'] };

  const tabs = (entity) =>
    html`${(TABS[entity] || []).map(
      (name) => html`<a class="js-navigate-link list-top-tab ${name === entity ? 'is-active' : ''}"
    href="/${name}/list/">${text(`list.${name}`)}</a>`,
    )}${entity === 'leads' ? html`<a class="js-navigate-link list-top-tab" href="/leads/pipeline/">${icon('pipeline')}${text('list.pipeline')}</a>` : ''}`;

  const addButton = (entity) =>
    entity === 'todo'
      ? ''
      : html`<a class="js-navigate-link button-input button-input_blue button-input_add" href="/${entity}/add/">
    <span class="button-input-inner">+ ${text(`add.${entity}`)}</span></a>`;

  return { of: (entity) => OF[entity].map((key) => COLUMN[key]), tabs, addButton, money };
});
