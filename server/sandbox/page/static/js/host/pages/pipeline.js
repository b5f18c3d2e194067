/** The deals of the main pipeline as a board. */
define(['host/here', 'host/net', 'host/html', 'host/texts', 'host/pages/columns'], function (
  here,
  net,
  html,
  text,
  columns,
) {
  'use strict';

  const deal = (
    one,
  ) => html`<a class="js-navigate-link pipeline_leads__item" data-id="${one.id}" href="/leads/detail/${one.id}">
    <span class="pipeline_leads__from">${one.from}</span><span class="pipeline_leads__title">${one.name}</span>
    <span class="pipeline_leads__price">${columns.money(one.price)}</span></a>`;

  const column = (
    status,
  ) => html`<section class="pipeline_column" data-id="${status.id}"><header class="pipeline_status__head" style="--status: ${status.color}">
    <h2>${status.name}</h2><span>${text('pipeline.summary', { count: status.count, sum: columns.money(status.sum) })}</span></header>
    <div class="pipeline_items">${status.leads.map(deal)}</div></section>`;

  async function show($holder) {
    const data = await net.get('/ajax/page/pipeline');
    here.pipeline_id = data.id;
    $holder.html(
      String(html`<div id="list_page_holder" class="pipeline-page"><div class="list__body-right__top content__top__preset">
      <h1 class="list-top-title">${data.name}</h1><div class="list__body-right__top__buttons">
      <a class="js-navigate-link list-top-tab" href="/settings/pipeline/leads/${data.id}/">${text('automation.title')}</a>
      <a class="js-navigate-link list-top-tab" href="/leads/list/">${text('pipeline.list')}</a>${columns.addButton('leads')}</div></div>
      <div class="pipeline_leads">${data.statuses.map(column)}</div></div>`),
    );
  }

  return { title: () => text('list.leads'), show };
});
