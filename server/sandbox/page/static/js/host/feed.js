/** Notifications: what `APP.notifications.*` sends, what the server pushes, who is told. Drawing is in `popups`. */
define([
  'jquery',
  'underscore',
  'host/app',
  'host/net',
  'host/trace',
  'host/socket',
  'host/popups',
  'lib/common/cookie',
], function ($, _, app, net, trace, socket, popups, cookie) {
  'use strict';

  const CLOSED_KEPT = 30; // ids of closed errors kept in the cookie
  const subscribers = {}; // widget code → callback
  let known = new Set();

  const note = (method, payload) => trace.record('notification', { method, payload: trace.plain(payload) });
  const closedErrors = () => (cookie.get('closed_notifications') || '').split(',').filter(Boolean);

  function callbacks(request, { done, fail, always } = {}) {
    request
      .then(
        (answer) => safely(done, answer),
        (problem) => safely(fail, problem),
      )
      .always((answer) => safely(always, answer));
    return request;
  }

  function safely(action, answer) {
    if (typeof action !== 'function') return;
    try {
      action(answer);
    } catch (error) {
      trace.error(null, 'notification callback', error);
    }
  }

  /** Kept by the server and pushed to every open page of the user. */
  function persist(method, data, given) {
    note(method, data);
    const missing = !data || !data.text;
    if (missing) trace.error(null, `notifications.${method}`, new Error('text is required'));
    const request = missing
      ? $.Deferred().reject({ status: 400, error: 'text is required' }).promise()
      : net.post('/ajax/page/notifications', { method, data: trace.plain(data) }).then((answer) => {
          receive(answer.notification);
          return { id: answer.notification.id };
        });
    return callbacks(request, given);
  }

  /** On this screen only. */
  function show(method, kind, data) {
    note(method, data);
    const content = data && typeof data.text === 'object' ? Object.assign({}, data, data.text) : data || {};
    popups.message(kind, content);
  }

  const notifications = {
    add_call: (data, given) => persist('add_call', data, given),
    add_error: (data, given) => persist('add_error', data, given),
    show_message: (data) => show('show_message', 'message', data),
    show_message_error(data, given) {
      show('show_message_error', 'error', data);
      callbacks($.Deferred().resolve({}).promise(), given);
    },
    show_notification: (data) => show('show_notification', (data && data.type) || 'call', data),
  };

  /** A notification from wherever; each is shown and told once per page. */
  function receive(notification) {
    if (known.has(notification.id)) return;
    known.add(notification.id);
    popups.add(notification, { silent: closedErrors().includes(notification.id) });
    _.each(subscribers, (listener, code) => {
      trace.run(code, 'notification', () => listener(notification), [notification.id]);
    });
  }

  function addNotificationCallback(code, listener) {
    const widget = app.widgets.list[code];
    if (widget && !widget.init_once) {
      trace.error(code, 'addNotificationCallback', new Error('only widgets with init_once get the feed'));
      return;
    }
    subscribers[code] = listener;
  }

  function close(ids) {
    const kept = closedErrors().concat(ids).slice(-CLOSED_KEPT);
    cookie.set('closed_notifications', kept.join(','));
    return net.post('/v3/inbox/delete', { id: ids, all: false });
  }

  /** What came while this page had no wire is shown now; what is older than the page is only listed. */
  function refresh(isFirst) {
    return net.get('/ajax/page/notifications').then((answer) => {
      const news = answer.notifications.filter((one) => !known.has(one.id));
      if (isFirst) {
        known = new Set(news.map((one) => one.id));
        popups.fill(news);
      } else {
        news.reverse().forEach(receive);
      }
    });
  }

  function start() {
    popups.bind({ close, clear: () => net.post('/v3/inbox/delete', { id: [], all: true }) });
    const own = `notifications:${app.constant('account').id}:${app.constant('user').id}`;
    socket.listen(own, null, (data) => (data.id ? receive(data) : null));
    let opened = false;
    $(document).on('host:socket:open', () => {
      if (opened) refresh(false);
      opened = true;
    });
    $(document).on('host:socket:closed', () => refresh(false));
    return refresh(true);
  }

  return { start, notifications, addNotificationCallback, unsubscribe: (code) => delete subscribers[code] };
});
