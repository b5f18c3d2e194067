/** Composition root of the host page: puts APP together and moves from page to page. */
define([
  'host/announce',
  'host/app',
  'host/here',
  'host/net',
  'host/trace',
  'host/router',
  'host/watch/own_address',
  'host/loader',
  'host/feed',
  'host/socket',
  'host/right_column',
  'host/phone_menu',
  'host/notifications_phone',
  'host/controls',
  'host/bar',
  'host/views',
  'host/watch/all',
  'host/settings_window',
  'host/widget',
], function (
  announce,
  app,
  here,
  net,
  trace,
  router,
  ownAddress,
  loader,
  feed,
  socket,
  rightColumn,
  phoneMenu,
  notificationsPhone,
  controls,
  bar,
  views,
  watching,
) {
  'use strict';

  const READY = 'data-sandbox';
  const root = document.documentElement;
  let round = 0; // of navigation: a later one takes over
  let shown = Promise.resolve();

  function assemble() {
    Object.assign(app, {
      notifications: feed.notifications,
      addNotificationCallback: feed.addNotificationCallback,
      router,
      sdk: Object.assign({ showUserStatus }, net.callingStatus),
      player_prepare: {},
      widgets: Object.assign(
        { list: {}, system: window.SANDBOX_BOOT.system, legal_handlers: [] },
        notificationsPhone,
      ),
    });
    window.APP = app;
    window.AMOCRM = app;
  }

  /** No argument: {id: {id, online}}; 'online': ids; an id: whether that user is online. */
  function showUserStatus(which) {
    const users = Object.values(app.constant('managers'));
    if (which === undefined)
      return Object.fromEntries(users.map((user) => [user.id, { id: user.id, online: user.online }]));
    if (which === 'online') return users.filter((user) => user.online).map((user) => user.id);
    return users.some((user) => String(user.id) === String(which) && user.online);
  }

  /** One page: leave the old area, draw the new one, start its widgets; ready when their promises are through. */
  async function visit(place, current) {
    const isFirst = here.place === null;
    if (!isFirst) loader.leave();
    here.place = place;
    app.widgets.system.area = place.system_area;
    await views.show(place);
    if (!isFirst) announce('page:changed');
    const { settled } = await loader.start(place);
    settled.then(trace.flush).then(() => {
      if (current === round) root.setAttribute(READY, 'ready');
    });
  }

  function onPlace(place) {
    round += 1;
    const current = round;
    root.removeAttribute(READY);
    shown = shown.then(() => visit(place, current)).catch((error) => trace.error(null, 'page', error));
  }

  function start() {
    trace.watch();
    assemble();
    net.followReleases();
    [rightColumn, phoneMenu, controls, bar, views].forEach((room) => room.bind());
    watching.watch();
    ownAddress.bind(); // after the watching: that one is told where a request really goes
    socket.listen('sandbox:widgets', null, loader.forget);
    socket.connect();
    feed.start().always(() => router.start(onPlace));
  }

  return { start };
});
