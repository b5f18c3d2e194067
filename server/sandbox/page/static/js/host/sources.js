/** `add_source`: ways of writing to a contact that widgets offer; the feed of a card shows them. */
define(['jquery', 'host/trace'], function ($, trace) {
  'use strict';

  const TYPES = ['sms', 'chat', 'email', 'custom'];
  let registered = []; // {code, widget, type, handler, text}

  const refuse = (widget, why) => trace.error(widget.params.widget_code, 'add_source', new Error(why));

  /** A second call of the same widget for the same type replaces the first: `render` may run again and again. */
  function add(type, widget, handler, text) {
    if (!TYPES.includes(type)) return refuse(widget, `unknown source type ${type}`);
    if (typeof handler !== 'function') return refuse(widget, `source ${type} has no handler`);
    if (type !== 'sms' && !text) return refuse(widget, `source ${type} needs a text`);
    const code = widget.params.widget_code;
    registered = registered
      .filter((one) => one.code !== code || one.type !== type)
      .concat({ code, widget, type, handler, text: text || widget.i18n('widget.name') || code });
    $(document).trigger('host:sources');
    return undefined;
  }

  function removeAll(code) {
    registered = registered.filter((one) => one.code !== code);
    $(document).trigger('host:sources');
  }

  /** Sends a text message through a widget; resolves when the widget's promise does, rejects when it refuses. */
  async function send(source, message) {
    const answer = run(source, message);
    if (answer.failed) throw new Error('the handler failed');
    if (!trace.isThenable(answer.value)) throw new Error('the handler of sms must return a promise');
    return answer.value;
  }

  const run = (source, argument) =>
    trace.run(source.code, `add_source:${source.type}`, () => source.handler.call(source.widget, argument), [argument]);

  return { add, removeAll, send, run, all: () => registered };
});
