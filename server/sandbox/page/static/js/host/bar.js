/** The developer bar: what widgets did, what failed, what was asked of whom; and who looks at the page. */
define(['jquery', 'underscore', 'moment', 'host/html', 'host/texts', 'host/trace', 'lib/common/cookie'], function (
  $,
  _,
  moment,
  html,
  text,
  trace,
  cookie,
) {
  'use strict';

  const KEPT = 300;
  const PAINT_MS = 60; // a widget that asks a hundred times is painted once
  const REMEMBERED = 'sandbox_bar'; // the open tab: reload on change must not close it
  const TABS = ['callback', 'finding', 'error', 'request', 'notification'];
  const FINDINGS = ['rule', 'leak'];
  const entries = _.object(TABS.map((name) => [name, []]));
  const state = Object.assign({ tab: 'callback', isOpen: false, widget: '' }, remembered());

  function remembered() {
    return JSON.parse(sessionStorage.getItem(REMEMBERED) || '{}');
  }

  const clock = (at) => moment.unix(at).format('HH:mm:ss.SSS');
  const given = (args) => (args && args.length ? JSON.stringify(args).slice(1, -1) : '');
  const took = (one) => (one.ms === undefined ? '' : html`<small>${one.ms} ms</small>`);
  const whose = (one) => html`<i>${one.widget || text('bar.page')}</i>`;

  const LINE = {
    callback: (one) => html`<b>${one.order || ''}</b> ${whose(one)} <code>${one.name}(${given(one.args)})</code>
      <span>${one.error ? `✗ ${one.error}` : `→ ${one.returned || ''}`}</span> ${took(one)}`,
    finding: (one) => html`${whose(one)} <span>${one.message}</span> <code>${one.where}</code><em>${one.cure}</em>`,
    error: (one) => html`${whose(one)} ${one.name}: <span>${one.message}</span>${one.stack ? html`<pre>${one.stack}</pre>` : ''}`,
    request: (one) => html`${whose(one)} <b>${one.event || one.status}</b> ${one.method || ''} ${one.url} ${took(one)} <code>${one.where || ''}</code>`,
    notification: (one) => html`<i>${one.method}</i> ${JSON.stringify(one.payload)}`,
  };

  function tabOf(one) {
    if (one.kind === 'socket') return 'request';
    return one.kind === 'callback' && FINDINGS.includes(one.name) ? 'finding' : one.kind;
  }

  const isBad = (one) => one.error || Number(one.status) >= 400 || one.status === 'failed' || one.event === 'error';
  const line = (one) =>
    html`<li class="sandbox-bar__line sandbox-bar__line_${tabOf(one)} ${isBad(one) ? 'is-error' : ''}"><time>${clock(one.at)}</time><div>${LINE[tabOf(one)](one)}</div></li>`;

  const shown = (name) => entries[name].filter((one) => !state.widget || one.widget === state.widget);

  function widgets() {
    const seen = _.chain(entries).values().flatten().pluck('widget').compact().uniq().value().sort();
    const options = [['', text('bar.all')], ...seen.map((code) => [code, code])];
    return html`${options.map(([value, label]) => html`<option value="${value}" ${html.raw(value === state.widget ? 'selected' : '')}>${label}</option>`)}`;
  }

  const paint = _.throttle(function () {
    const $bar = $('#sandbox_bar').toggleClass('is-open', state.isOpen);
    $('#sandbox_bar_toggle').attr('aria-expanded', String(state.isOpen));
    TABS.forEach((name) => {
      const count = shown(name).length;
      $bar.find(`[data-tab=${name}]`).attr('aria-selected', String(name === state.tab)).find('b').text(count);
    });
    $bar.toggleClass('has-errors', entries.error.length > 0).toggleClass('has-findings', entries.finding.length > 0);
    $bar.find('.js-bar-trouble').text(entries.error.length + entries.finding.length || '');
    if (!state.isOpen) return;
    const lines = shown(state.tab).slice().reverse();
    $('#sandbox_bar_lines > ol').html(
      String(lines.length ? html`${lines.map(line)}` : html`<li class="sandbox-bar__empty">${text('bar.nothing')}</li>`),
    );
    $('.js-bar-widget').html(String(widgets()));
  }, PAINT_MS);

  function change(values) {
    Object.assign(state, values);
    sessionStorage.setItem(REMEMBERED, JSON.stringify(state));
    paint();
  }

  function keep(entry) {
    const kept = entries[tabOf(entry)];
    if (!kept) return;
    kept.push(entry);
    if (kept.length > KEPT) kept.shift();
    paint();
  }

  function theme(name) {
    document.documentElement.setAttribute('data-theme', name);
    cookie.set('sandbox_theme', name);
  }

  /** Everything the page holds is the old user's: load it anew. */
  function signIn(query) {
    location.assign(`/sandbox/login?${query}&next=${encodeURIComponent(location.pathname + location.search)}`);
  }

  function bind() {
    trace.listen(keep);
    paint();
    $(document)
      .on('click.host-bar', '#sandbox_bar_toggle', () => change({ isOpen: !state.isOpen }))
      .on('click.host-bar', '#sandbox_bar [data-tab]', (event) => change({ tab: $(event.currentTarget).data('tab') }))
      .on('change.host-bar', '.js-bar-widget', (event) => change({ widget: event.currentTarget.value }))
      .on('click.host-bar', '.js-bar-clear', () => {
        TABS.forEach((name) => entries[name].splice(0));
        paint();
      })
      .on('click.host-bar', '.js-bar-theme', () =>
        theme(document.documentElement.getAttribute('data-theme') === 'dark' ? 'light' : 'dark'),
      )
      .on('click.host-bar', '.js-bar-language', (event) =>
        signIn(`user=${$('.js-bar-user').val()}&lang=${event.currentTarget.lang}`),
      )
      .on('change.host-bar', '.js-bar-user', (event) => signIn(`user=${event.currentTarget.value}`));
  }

  return { bind };
});
