/** The shop of integrations: tiles that open the settings window; and widgets' own settings pages. */
define(['jquery', 'host/net', 'host/html', 'host/texts', 'host/settings_window', 'host/app', 'host/here'], function (
  $,
  net,
  html,
  text,
  settingsWindow,
  app,
  here,
) {
  'use strict';

  let entries = {};

  const state = (entry) => text(`settings.state.${entry.status}`);

  const tile = (
    entry,
  ) => html`<button type="button" class="widgets-tile js-widget-tile" data-code="${entry.code}" id="${entry.code}_tile">
    <img class="widgets-tile__logo" src="${entry.images_path}/logo_main.png" alt=""><span class="widgets-tile__name">${entry.name}</span>
    <span class="widgets-tile__state ${entry.active === 'Y' ? 'is-installed' : ''}">${state(entry)}</span></button>`;

  const ownPage = (entry) =>
    entry.advanced_title && entry.active === 'Y'
      ? html`<a class="js-navigate-link list-top-tab" href="/settings/advanced/${entry.code}/">${entry.advanced_title}</a>`
      : '';

  async function show($holder, place) {
    const answer = await net.postForm('/ajax/widgets/list', { area: 'widgetsSettings', all: 1 });
    entries = answer.widgets;
    const all = Object.values(entries);
    $holder.html(
      String(html`<div id="list_page_holder" class="settings-page"><div class="list__body-right__top content__top__preset">
      <h1 class="list-top-title">${text('settings.title')}</h1><div class="list__body-right__top__buttons">${all.map(ownPage)}
      <a class="js-navigate-link list-top-tab" href="/settings/pipeline/leads/">${text('automation.title')}</a></div></div>
      <div class="widgets-tiles">${all.map(tile)}${all.length ? '' : html`<p class="list__empty">${text('settings.none')}</p>`}</div></div>`),
    );
    const asked = place.opened || place.query.get('widget');
    if (asked && entries[asked])
      $(document).one('widgets:load', () => setTimeout(() => settingsWindow.open(entries[asked]), 0));
  }

  /** A widget's own page: widgets draw into #list_page_holder, or into #work-area-<code> and the head above it. */
  function advanced($holder, place) {
    $holder.html(
      String(html`<div class="list__body-right__top"><div class="content__top__preset">
        <h1 class="list-top-title content__top__preset__caption js-advanced-title"></h1></div></div>
        <div id="list_page_holder" class="settings-page settings-page_advanced" data-code="${place.code}"><div id="work-area-${place.code}"
        class="work-area"></div></div>`),
    );
  }

  function bind() {
    $(document)
      .on('click.host-settings', '.js-widget-tile', (event) =>
        settingsWindow.open(entries[$(event.currentTarget).data('code')]),
      )
      .on('host:started', (event, started) => {
        const own = started.find((entry) => entry.code === here.place.code);
        $('.js-advanced-title').text(own ? own.advanced_title : '');
      })
      .on('widget:saved', () => {
        if (here.place.view !== 'settings') return;
        app.router.navigate('/settings/widgets/', { trigger: true, replace: true });
      });
  }

  return { title: () => text('settings.title'), show, advanced, bind };
});
