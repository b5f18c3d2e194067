/** `APP.data.current_card` and the form models actions get: keys look like form names. */
define(['jquery', 'backbone', 'underscore'], function ($, Backbone, _) {
  'use strict';

  const PREFIX = { contacts: 'contact', leads: 'lead', companies: 'company', customers: 'customer' };
  const ELEMENT = { contacts: 1, leads: 2, companies: 3, customers: 12 };
  const prefix = (entity) => PREFIX[entity];

  function company(data) {
    const found = data.company || (data.companies || [])[0];
    return found ? { 'company[ID]': found.id, 'company[NAME]': found.name } : {};
  }

  function attributes(entity, data) {
    const own = {
      ID: data.id,
      ELEMENT_TYPE: ELEMENT[entity],
      [`${prefix(entity)}[NAME]`]: data.name,
      MAIN_ID: data.id,
    };
    if (entity === 'leads')
      Object.assign(own, {
        'lead[PRICE]': data.price,
        'lead[STATUS]': data.status && data.status.id,
        'lead[PIPELINE_ID]': data.pipeline_id,
      });
    (data.fields || []).forEach((field) => {
      own[`CFV[${field.id}]`] = field.values.length === 1 ? field.values[0].value : _.pluck(field.values, 'value');
    });
    return Object.assign(own, company(data));
  }

  const FormModel = Backbone.Model.extend({ idAttribute: 'ID' });
  const linkedForm = (entity, data) => new FormModel(attributes(entity, data));

  const values = (data, code) => _.chain(data.fields).where({ code }).pluck('values').flatten().pluck('value').value();

  const contact = (data) => ({
    id: data.id,
    name: data.name,
    first_name: data.first_name || '',
    last_name: data.last_name || '',
    phones: values(data, 'PHONE'),
    emails: values(data, 'EMAIL'),
  });

  const contactsOf = (data) => (data.entity === 'contacts' ? [data] : data.contacts || []);

  /** The object widgets find in `APP.data.current_card`; `form` says whether anything has been typed, and saves it. */
  function make(data, form) {
    const contacts = contactsOf(data);
    return {
      id: data.id,
      $el: $('#card_holder'),
      element_type: ELEMENT[data.entity],
      model: linkedForm(data.entity, data),
      contacts: contacts.map(contact),
      main_contact: contacts.length ? contacts[0].id : null,
      save: form.save,
      checkChanges: form.isChanged,
      user: data.responsible,
      tags: _.pluck(data.tags, 'name'),
    };
  }

  /** The same object after its card has been saved. */
  function refresh(card, data) {
    card.model.set(attributes(data.entity, data));
    card.contacts = contactsOf(data).map(contact);
  }

  return { make, refresh, linkedForm, prefix };
});
