/** The developer bar: what widgets did, what failed, what was asked of whom; and who looks at the page. */
define(['jquery', 'host/html', 'host/texts', 'host/trace', 'host/app', 'lib/common/cookie'], function (
  $,
  html,
  text,
  trace,
  app,
  cookie,
) {
  'use strict';

  const KEPT = 300;
  const TABS = ['callback', 'error', 'request', 'notification'];
  const entries = { callback: [], error: [], request: [], notification: [] };
  let tab = 'callback';

  const clock = (at) => new Date(at * 1000).toTimeString().slice(0, 8);

  const LINE = {
    callback: (
      one,
    ) => html`<b>${one.order || ''}</b> <i>${one.widget || ''}</i> ${one.name}(${one.args && one.args.length ? JSON.stringify(one.args).slice(1, -1) : ''})
      <span>${one.error ? `✗ ${one.error}` : `→ ${one.returned}`}</span> <small>${one.ms} ms</small>`,
    error: (one) => html`<i>${one.widget || text('bar.page')}</i> ${one.name}: <span>${one.message}</span>`,
    request: (one) => html`<i>${one.status}</i> ${one.url} <small>${one.ms} ms</small>`,
    notification: (one) => html`<i>${one.method}</i> ${JSON.stringify(one.payload)}`,
  };

  const line = (one) =>
    html`<li class="sandbox-bar__line sandbox-bar__line_${one.kind} ${one.error ? 'is-error' : ''}"><time>${clock(one.at)}</time> ${LINE[one.kind](one)}</li>`;

  function paint() {
    TABS.forEach((name) =>
      $(`#sandbox_bar [data-tab=${name}]`)
        .attr('aria-selected', String(name === tab))
        .find('b')
        .text(entries[name].length),
    );
    $('#sandbox_bar').toggleClass('has-errors', entries.error.length > 0);
    if ($('#sandbox_bar').hasClass('is-open'))
      $('#sandbox_bar_lines').html(String(html`${entries[tab].slice().reverse().map(line)}`));
  }

  function keep(entry) {
    if (!(entry.kind in entries)) return;
    entries[entry.kind].push(entry);
    if (entries[entry.kind].length > KEPT) entries[entry.kind].shift();
    paint();
  }

  /** Requests widgets make: everything but the host's own traffic. */
  function watchRequests() {
    const own = /\/(ajax\/page|frontend)\//;
    new PerformanceObserver((list) =>
      list.getEntries().forEach((one) => {
        if (!['xmlhttprequest', 'fetch', 'script', 'link', 'img'].includes(one.initiatorType) || own.test(one.name))
          return;
        keep({
          at: Date.now() / 1000,
          kind: 'request',
          url: one.name.replace(location.origin, ''),
          status: one.responseStatus || one.initiatorType,
          ms: Math.round(one.duration),
        });
      }),
    ).observe({ type: 'resource', buffered: true });
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
    watchRequests();
    $(document)
      .on('click.host-bar', '#sandbox_bar_toggle', (event) => {
        const isOpen = $('#sandbox_bar').toggleClass('is-open').hasClass('is-open');
        $(event.currentTarget).attr('aria-expanded', String(isOpen));
        paint();
      })
      .on('click.host-bar', '#sandbox_bar [data-tab]', (event) => {
        tab = $(event.currentTarget).data('tab');
        paint();
      })
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
