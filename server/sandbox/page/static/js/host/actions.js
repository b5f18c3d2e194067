/** `add_action`: which widgets wait for a click on a phone number or an e-mail address. */
define(['host/trace'], function (trace) {
  'use strict';

  const registered = { phone: [], email: [] };

  function add(type, widget, action) {
    const code = widget.params.widget_code;
    if (!(type in registered) || typeof action !== 'function') {
      trace.error(code, 'add_action', new Error(`add_action(${type}): phone or email and a function are expected`));
      return;
    }
    registered[type] = registered[type].filter((one) => one.code !== code).concat({ code, widget, action });
  }

  /** Items of the menu: the widget's own words, its name where it has none. */
  function items(type) {
    return (registered[type] || []).map(({ code, widget }) => ({
      code,
      title: widget.i18n('widget.call_action') || widget.i18n('widget.name') || code,
    }));
  }

  /** Runs one widget's action with the object amoCRM hands over: `value` as typed, `type`, and the form or row model. */
  function run(type, code, value, model) {
    const found = (registered[type] || []).find((one) => one.code === code);
    const event = { value, type, model };
    if (found) trace.run(code, `add_action:${type}`, () => found.action.call(found.widget, event), [{ value, type }]);
  }

  function removeAll(code) {
    Object.keys(registered).forEach((type) => {
      registered[type] = registered[type].filter((one) => one.code !== code);
    });
  }

  return { add, items, run, removeAll };
});
