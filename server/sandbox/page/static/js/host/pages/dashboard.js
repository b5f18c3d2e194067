/** The desk: what happened today, in a few numbers. */
define(['host/net', 'host/html', 'host/texts', 'host/pages/columns'], function (net, html, text, columns) {
  'use strict';

  const tile = (
    label,
    value,
    href,
  ) => html`<a class="js-navigate-link dashboard-tile" href="${href}"><span class="dashboard-tile__label">${label}</span>
    <strong class="dashboard-tile__value">${value}</strong></a>`;

  async function show($holder) {
    const facts = await net.get('/ajax/page/dashboard');
    $holder.html(
      String(html`<div id="list_page_holder" class="dashboard"><h1 class="dashboard__title">${facts.account}</h1><div class="dashboard__tiles">
      ${tile(text('dashboard.calls'), facts.calls, '/contacts/list/')}${tile(text('list.leads'), facts.leads, '/leads/pipeline/')}
      ${tile(text('dashboard.sum'), columns.money(facts.sum), '/leads/list/')}${tile(text('list.contacts'), facts.contacts, '/contacts/list/')}
      ${tile(text('list.companies'), facts.companies, '/companies/list/')}${tile(text('list.customers'), facts.customers, '/customers/list/')}</div></div>`),
    );
  }

  return { title: () => text('menu.dashboard'), show };
});
