/** The fields of a widget's settings window: drawn from the manifest, read back as the host hands them to onSave. */
define(['jquery', 'host/app', 'host/html', 'host/texts'], function ($, app, html, text) {
  'use strict';

  const PER_USER = ['users', 'users_lp'];
  const BLOCK = 'widget_settings_block';

  const input = (
    name,
    value,
    type,
    label,
  ) => html`<input class="${BLOCK}__controls__ text-input" type="${type}" name="${name}" value="${value}"
    aria-label="${label}" autocomplete="${type === 'password' ? 'new-password' : 'off'}">`;

  const item = (code, title, control, kind = '') => html`<div class="${BLOCK}__item_field ${kind}" data-field="${code}">
    <div class="${BLOCK}__title_field" title="${title}">${title}</div><div class="${BLOCK}__input_field">${control}</div></div>`;

  const people = () => Object.values(app.constant('managers'));

  const perUser = (title, rows) =>
    html`<div class="${BLOCK}_users"><div class="${BLOCK}_users__title_field">${title}</div>${rows}</div>`;

  const user = (one, controls) =>
    html`<div class="${BLOCK}_users__item"><span class="${BLOCK}_users__name">${one.option}</span>${controls}</div>`;

  function parsed(value) {
    if (typeof value !== 'string') return value || {};
    try {
      return JSON.parse(value) || {};
    } catch (error) {
      return {};
    }
  }

  const DRAW = {
    text: (field, value) => item(field.code, field.title, input(field.code, value, 'text', field.title)),
    pass: (field, value) => item(field.code, field.title, input(field.code, value, 'password', field.title)),
    users(field, value) {
      const given = parsed(value);
      const rows = people().map((one) =>
        user(one, input(`${field.code}[${one.id}]`, given[one.id], 'text', one.option)),
      );
      return item(field.code, '', perUser(field.title, rows), `${BLOCK}__item_field_users`);
    },
    users_lp(field, value) {
      const given = parsed(value);
      const rows = people().map((one) => {
        const own = given[one.id] || {};
        return user(
          one,
          html`${input(`${field.code}[${one.id}][login]`, own.login, 'text', `${one.option}: ${text('settings.login')}`)}
          ${input(`${field.code}[${one.id}][password]`, own.password, 'password', `${one.option}: ${text('settings.password')}`)}`,
        );
      });
      return item(field.code, '', perUser(field.title, rows), `${BLOCK}__item_field_users`);
    },
    custom(field, value, code) {
      const kept =
        value === undefined || value === null || typeof value === 'string' ? value || '' : JSON.stringify(value);
      return html`<div class="${BLOCK}__item_field ${BLOCK}__item_field_custom" data-field="${field.code}">
        <input type="hidden" class="${BLOCK}__controls__" name="${field.code}" id="${code}_custom" value="${kept}"><div id="${code}_custom_content"></div></div>`;
    },
  };

  const markup = (entry, settings) =>
    html`${entry.fields.map((field) => DRAW[field.type](field, settings[field.code], entry.code))}`;

  const named = ($body, name) => $body.find('input').filter((index, one) => one.name === name);

  const READ = {
    text: ($body, field) => named($body, field.code).val() || '',
    pass: ($body, field) => named($body, field.code).val() || '',
    custom: ($body, field) => named($body, field.code).val() || '',
    users: ($body, field) =>
      Object.fromEntries(people().map((one) => [one.id, named($body, `${field.code}[${one.id}]`).val() || ''])),
    users_lp: ($body, field) =>
      Object.fromEntries(
        people().map((one) => [
          one.id,
          {
            login: named($body, `${field.code}[${one.id}][login]`).val() || '',
            password: named($body, `${field.code}[${one.id}][password]`).val() || '',
          },
        ]),
      ),
  };

  /** As onSave gets them: per-user fields as objects, or as texts when the switch says so. */
  const read = ($body, entry) =>
    parsable(entry, Object.fromEntries(entry.fields.map((field) => [field.code, told(READ[field.type]($body, field))])));

  const told = (value) =>
    typeof value === 'object' && window.SANDBOX_BOOT.users_field === 'string' ? JSON.stringify(value) : value;

  const isEmpty = (field, value) =>
    PER_USER.includes(field.type)
      ? Object.values(parsed(value)).every((one) => (typeof one === 'object' ? !one.login : !one))
      : !value;

  /** Codes of required fields nobody filled in. */
  const missing = (entry, values) =>
    entry.fields.filter((field) => field.required && isEmpty(field, values[field.code])).map((field) => field.code);

  /** Some widgets call JSON.parse on per-user fields: an object that reads as its JSON serves them too. */
  function parsable(entry, settings) {
    entry.fields
      .map((field) => settings[field.code])
      .filter((value, index) => PER_USER.includes(entry.fields[index].type) && value && typeof value === 'object')
      .forEach((value) =>
        Object.defineProperty(value, 'toString', { value: () => JSON.stringify(value), configurable: true }),
      );
    return settings;
  }

  return { markup, read, missing, parsed, parsable };
});
