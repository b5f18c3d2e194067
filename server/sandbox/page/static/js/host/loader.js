/**
 * Starts, repeats and ends widgets exactly in amoCRM's order (reference: platform, load sequence and lifetime).
 * It knows nothing of pages: it is told an area and whether that page is a widget's own.
 */
define([
  'jquery',
  'host/announce',
  'host/app',
  'host/net',
  'host/trace',
  'host/widget',
  'host/right_column',
  'host/actions',
  'host/sources',
  'host/feed',
  'host/texts',
], function ($, announce, app, net, trace, widgetBase, rightColumn, actions, sources, feed, text) {
  'use strict';

  const CACHE_MS = 30 * 60 * 1000;
  const PROMISE_LIMIT_MS = 10000; // a render that never settles must not keep the page from being ready

  /** The list of an area: amoCRM keeps it half an hour per user and version of the widgets. */
  async function list(area) {
    const key = `widgets:${app.constant('user').id}:${app.constant('widgets_cache_version')}:${area}`;
    const kept = read(key);
    if (kept && Date.now() - kept.at < CACHE_MS) return kept.answer;
    const answer = await net.postForm('/ajax/widgets/list', { area });
    keep(key, { at: Date.now(), answer });
    return answer;
  }

  /** What was kept; null when nothing was, or when a widget that fills localStorage has spoilt it. */
  function read(key) {
    try {
      const kept = JSON.parse(localStorage.getItem(key));
      return kept && kept.answer && kept.answer.widgets ? kept : null;
    } catch (error) {
      return null;
    }
  }

  function keep(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch (error) {
      trace.error(null, 'list of widgets', error); // the storage is full: the next page asks again
    }
  }

  function forget() {
    Object.keys(localStorage)
      .filter((key) => key.startsWith('widgets:'))
      .forEach((key) => localStorage.removeItem(key));
  }

  const load = (modules) =>
    new Promise((resolve, reject) => {
      window.requirejs(modules, (...found) => resolve(found), reject);
    });

  /** Script and texts of a widget; null when the script is no constructor. */
  async function fetchWidget(entry) {
    const version = `?v=${encodeURIComponent(entry.installed_version)}`;
    const [Constructor, texts] = await load([
      `optional!${entry.src}${version}`,
      `optional!json!${entry.lang}${version}`,
    ]);
    if (typeof Constructor !== 'function') {
      drop(entry, text('bar.no_constructor'));
      return null;
    }
    const made = trace.run(entry.code, 'constructor', () =>
      widgetBase.equip(widgetBase.construct(Constructor), entry, texts),
    );
    return made.failed ? null : made.value;
  }

  function drop(entry, reason) {
    trace.record('error', { widget: entry.code, name: 'load', message: reason });
    return null;
  }

  const complete = (widget) =>
    ['render', 'init', 'bind_actions'].every((name) => typeof (widget.callbacks || {})[name] === 'function');

  async function launch(entry, place) {
    const running = app.widgets.list[entry.code];
    if (running) return { settled: repeat(running, place) };
    const widget = await fetchWidget(entry);
    if (!widget) return { settled: null };
    if (!complete(widget)) {
      drop(entry, text('bar.dropped'));
      return { settled: null };
    }
    app.widgets.list[entry.code] = widget;
    return { settled: begin(widget, place) };
  }

  const call = (widget, name, ...args) => {
    const code = widget.params.widget_code;
    return trace.run(code, name, () => widget.callbacks[name](...args), args);
  };

  /** render, then by its answer: truthy → event, init, bind_actions; promise → bind_actions, later event, init; falsy → bind_actions. */
  function begin(widget, place) {
    const answer = call(widget, 'render');
    if (isStopped(answer)) return null;
    if (trace.isThenable(answer.value)) {
      bind(widget, place);
      return settle(widget, answer.value, () => loaded(widget));
    }
    if (answer.value && isStopped(loaded(widget))) return null;
    bind(widget, place);
    return null;
  }

  /** Nobody knows whether an exception ends the start of its widget: a switch says. */
  const isStopped = (answer) => answer.failed && window.SANDBOX_BOOT.callback_exception === 'stop';

  function loaded(widget) {
    announce(`widget:${widget.params.widget_code}:loaded`);
    return call(widget, 'init');
  }

  function bind(widget, place) {
    if (!isStopped(call(widget, 'bind_actions'))) ownPage(widget, place);
  }

  /** A widget with init_once lives through navigation: only render runs again. */
  function repeat(widget, place) {
    const answer = call(widget, 'render');
    if (!isStopped(answer)) ownPage(widget, place);
    return trace.isThenable(answer.value) ? settle(widget, answer.value, () => {}) : null;
  }

  function ownPage(widget, place) {
    if (place.code !== widget.params.widget_code) return;
    if (place.view === 'advanced' && widget.callbacks.advancedSettings) call(widget, 'advancedSettings');
    if (place.view === 'menu_page' && widget.callbacks.initMenuPage) {
      const { location, item, subitem } = place;
      const code = location === 'widget_page' ? { item_code: item } : {}; // below an item of amoCRM's own there is none
      call(widget, 'initMenuPage', Object.assign({ location, subitem_code: subitem }, code));
    }
  }

  function settle(widget, promise, done) {
    const code = widget.params.widget_code;
    const isAlive = () => app.widgets.list[code] === widget;
    const ended = new Promise((resolve) => {
      promise.then(
        () => resolve(isAlive() ? done() : null),
        (error) => {
          trace.error(code, 'render', error || new Error('rejected'));
          resolve(null);
        },
      );
    });
    const late = new Promise((resolve) => setTimeout(resolve, PROMISE_LIMIT_MS, 'late'));
    return Promise.race([ended, late]);
  }

  /** Starts the widgets of a page. Resolves when all have been started; `settled` when their promises are through. */
  async function start(place) {
    announce('widgets:load');
    if (place.view === 'pay') return { settled: Promise.resolve() };
    const answer = await list(place.area);
    Object.assign(app.widgets.system, answer.system);
    rightColumn.count(place);
    const active = Object.values(answer.widgets).filter((entry) => entry.active === 'Y');
    const started = await Promise.all(active.map((entry) => launch(entry, place)));
    announce('host:started', [active]);
    return { settled: Promise.all(started.map((one) => one.settled)) };
  }

  /** Ends a widget; one that the settings window alone has made is ended too. */
  function end(code, widget = app.widgets.list[code]) {
    if (!widget) return;
    if (typeof widget.callbacks.destroy === 'function') call(widget, 'destroy');
    $(document).off(widget.ns);
    rightColumn.remove(code);
    actions.removeAll(code);
    sources.removeAll(code);
    feed.unsubscribe(code);
    delete app.widgets.list[code];
    trace.ended(code);
  }

  /** Leaving an area ends every widget that is not init_once. */
  function leave() {
    Object.values(app.widgets.list)
      .filter((widget) => !widget.init_once)
      .forEach((widget) => end(widget.params.widget_code));
    rightColumn.clear();
  }

  /** A started, or for the settings window at least constructed, widget; null when its script is no widget. */
  async function instance(entry) {
    return app.widgets.list[entry.code] || fetchWidget(entry);
  }

  /** Runs a widget that was installed while the page is open. */
  async function install(widget, place) {
    app.widgets.list[widget.params.widget_code] = widget;
    announce('widget:installed', [widget.params.widget_code]);
    if (complete(widget)) await begin(widget, place);
    else delete app.widgets.list[widget.params.widget_code];
  }

  $(document).on('widget:removed', (event, code, widget) => end(code, widget));

  return { start, leave, instance, install, end, call, forget };
});
