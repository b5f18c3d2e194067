/** Which room draws which page; the left menu and the tab's title follow. */
define([
  'jquery',
  'host/app',
  'host/html',
  'host/texts',
  'host/pages/card',
  'host/pages/list',
  'host/pages/dashboard',
  'host/pages/pipeline',
  'host/pages/settings',
  'host/pages/mail',
], function ($, app, html, text, card, list, dashboard, pipeline, settings, mail) {
  'use strict';

  const plainPage = (title, inside) => ({
    title: () => title,
    show: ($holder) =>
      $holder.html(
        String(html`<div id="list_page_holder" class="list-page"><div class="list__body-right__top">
        <h1 class="list-top-title">${title}</h1></div><div class="page-text">${inside}</div></div>`),
      ),
  });

  const ownTitle = (place) => place.code;

  const VIEWS = {
    card,
    list,
    dashboard,
    pipeline,
    settings,
    mail,
    pay: plainPage(text('pay.title'), text('pay.text')),
    missing: plainPage(text('missing.title'), text('missing.text')),
    advanced: { title: ownTitle, show: ($holder, place) => settings.advanced($holder, place) },
    menu_page: {
      title: ownTitle,
      show: ($holder, place) => $holder.html(String(html`<div id="work-area-${place.code}" class="work-area"></div>`)),
    },
  };
  const MENU = { contacts: 'catalogs', companies: 'catalogs' };

  function markMenu(place) {
    const entity = place.entity || place.base_entity;
    const wanted =
      place.view.startsWith('settings') || ['pay', 'advanced'].includes(place.view)
        ? 'settings'
        : MENU[entity] || entity;
    $('#nav_menu .nav__menu__item').each((index, item) => {
      const isHere = $(item).data('entity') === wanted;
      $(item)
        .toggleClass('nav__menu__item-active', isHere)
        .find('a')
        .attr('aria-current', isHere ? 'page' : null);
    });
  }

  function reset() {
    $('.modal').remove();
    $('#widgets_block, #card_widgets_overlay').remove();
    Object.assign(app.data, {
      current_card: false,
      current_list: null,
      current_view: { $el: $('#page_holder') },
      current_entity: null,
      is_card: false,
      card_page: null,
    });
  }

  /** Draws the page of a place; resolves when its data are on screen. */
  async function show(place) {
    reset();
    app.data.current_entity = place.entity || place.base_entity;
    const view = VIEWS[place.view];
    markMenu(place);
    document.body.setAttribute('data-view', place.view);
    await view.show($('#page_holder'), place);
    document.title = `${view.title(place)} — amoCRM (${text('sandbox')})`;
    window.scrollTo(0, 0);
  }

  /** The search of the top bar looks through the list it stands on, contacts elsewhere. */
  function bind() {
    card.bind();
    list.bind();
    settings.bind();
    // A widget without a logo is a plain tile, not a broken picture.
    document.addEventListener(
      'error',
      ({ target }) => target.nodeName === 'IMG' && target.classList.add('is-missing'),
      true,
    );
    $(document).on('submit.host-search', '.js-search', (event) => {
      event.preventDefault();
      const entity = ['leads', 'companies', 'customers'].includes(app.data.current_entity)
        ? app.data.current_entity
        : 'contacts';
      const term = $(event.currentTarget).find('input').val();
      app.router.navigate(`/${entity}/list/?term=${encodeURIComponent(term)}`, { trigger: true });
    });
  }

  return { show, bind };
});
