/** The fields of a card as controls, and what the form says when it is saved. */
define(['jquery', 'host/html', 'host/texts', 'host/phone_menu', 'moment'], function ($, html, text, phoneMenu, moment) {
  'use strict';

  const PEI = { PHONE: 'phone', EMAIL: 'email' };

  const line = (
    label,
    control,
    name = '',
    id = '',
  ) => html`<div class="linked-form__field ${name}" data-id="${id}"><div class="linked-form__field__label">${label}</div>
    <div class="linked-form__field__value">${control}</div></div>`;

  /** Kinds of numbers and addresses that amoCRM knows have words; an account's own is called by its code. */
  const kindOf = (code) => (code ? text(`enum.${code}`).replace('enum.', '') : '');

  function pei(field, value) {
    const type = PEI[field.code];
    const name = `CFV[${field.id}][][VALUE]`;
    return line(
      html`${field.name} <small>${kindOf(value.enum_code)}</small>`,
      phoneMenu.control(type, value.value, { isCard: true, name, placeholder: field.name }),
      'linked-form__field-pei',
      field.id,
    );
  }

  const EMPTY = [{ value: '' }];

  /** Phones and e-mail addresses of a linked contact or company. */
  const peis = (data) =>
    html`${(data.fields || []).filter((field) => field.code in PEI).map((field) => field.values.map((value) => pei(field, value)))}`;

  function shown(field) {
    const values = field.values.map((value) =>
      field.type === 'date' ? moment.unix(value.value).format('DD.MM.YYYY') : value.value,
    );
    return values.join(', ');
  }

  const input = (name, value, label, attributes = '') =>
    html`<input class="text-input" name="${name}" value="${value}" aria-label="${label}" placeholder="…" ${html.raw(attributes)}>`;

  const amount = (price) => String(price || 0).replace(/\B(?=(\d{3})+$)/g, ' ');

  const control = (field) =>
    field.is_text ? input(`CFV[${field.id}]`, shown(field), field.name) : html`<span>${shown(field)}</span>`;
  const kind = (field) => `linked-form__field-${field.type}`;

  /** The card's own fields. */
  function own(data) {
    const rows = [line(text('field.responsible'), html`<span class="control-user">${data.responsible.name}</span>`)];
    if (data.entity === 'leads')
      rows.push(
        line(text('field.price'), input('lead[PRICE]', amount(data.price), text('field.price'), 'inputmode="numeric"')),
      );
    data.fields.forEach((field) => {
      if (field.code in PEI)
        (field.values.length ? field.values : EMPTY).forEach((value) => rows.push(pei(field, value)));
      else if (field.is_text || field.values.length) rows.push(line(field.name, control(field), kind(field), field.id));
    });
    return html`${rows}`;
  }

  function fieldValues($form, field) {
    if (!(field.code in PEI))
      return [{ value: $form.find(`[name="CFV[${field.id}]"]`).val() }].filter((one) => one.value);
    const typed = $form
      .find(`.js-card-fields [name="CFV[${field.id}][][VALUE]"]`)
      .map((index, one) => $(one).val())
      .get();
    return typed
      .map((value, index) => ({ value, enum_code: (field.values[index] || {}).enum_code || 'WORK' }))
      .filter((one) => one.value);
  }

  /** The form as the API wants it. */
  function read($form, data) {
    const body = { name: $form.find('.js-card-name').val() };
    if (data.entity === 'leads') body.price = Number($form.find('[name="lead[PRICE]"]').val().replace(/\s/g, '')) || 0;
    const writable = data.fields.filter((field) => field.code in PEI || field.is_text);
    const values = writable.map((field) => ({ field_id: field.id, values: fieldValues($form, field) }));
    body.custom_fields_values = values.filter((one) => one.values.length);
    if (!body.custom_fields_values.length) delete body.custom_fields_values;
    return body;
  }

  return { own, peis, read };
});
