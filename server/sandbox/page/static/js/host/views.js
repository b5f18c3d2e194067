/** Which room draws which page; the left menu and the tab's title follow. */
define([
  'jquery',
  'host/app',
  'host/html',
  'host/texts',
  'host/trace',
  'host/pages/card',
  'host/pages/list',
  'host/pages/dashboard',
  'host/pages/pipeline',
  'host/pages/settings',
  'host/pages/mail',
  'host/pages/automation',
], function ($, app, html, text, trace, card, list, dashboard, pipeline, settings, mail, automation) {
  'use strict';

  const plainPage = (title, inside) => ({
    title: () => title,
    show: ($holder) =>
      $holder.html(
        String(html`<div id="list_page_holder" class="list-page"><div class="list__body-right__top">
        <h1 class="list-top-title">${title}</h1></div><div class="page-text">${inside}</div></div>`),
      ),
  });

  const ownTitle = (place) => (app.widgets.list[place.code] || { i18n: () => '' }).i18n('widget.name') || place.code;

  const VIEWS = {
    card,
    list,
    dashboard,
    pipeline,
    settings,
    mail,
    automation,
    pay: plainPage(text('pay.title'), text('pay.text')),
    missing: plainPage(text('missing.title'), text('missing.text')),
    advanced: { title: ownTitle, show: ($holder, place) => settings.advanced($holder, place) },
    menu_page: {
      title: ownTitle,
      show: ($holder, place) => $holder.html(String(html`<div id="work-area-${place.code}" class="work-area"></div>`)),
    },
  };
  const MENU = { contacts: 'catalogs', companies: 'catalogs' };

  function menuItem(place, entity) {
    if (place.view === 'menu_page' && place.location === 'widget_page') return `${place.code}-${place.item}`;
    if (place.view === 'menu_page') return place.location;
    return ['settings', 'pay', 'advanced', 'automation'].includes(place.view) ? 'settings' : MENU[entity] || entity;
  }

  function markMenu(place) {
    const entity = place.entity || place.base_entity;
    const wanted = menuItem(place, entity);
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
    app.constant('card_id', undefined);
  }

  /** The view that could be drawn: an unknown card, or one the user may not see, is a missing page with its widgets. */
  async function drawn(view, place) {
    try {
      await view.show($('#page_holder'), place);
      return view;
    } catch (problem) {
      trace.error(null, 'page', problem instanceof Error ? problem : new Error(`HTTP ${problem.status} ${place.path}`));
      VIEWS.missing.show($('#page_holder'), place);
      return VIEWS.missing;
    }
  }

  /** Draws the page of a place; resolves when its data are on screen. */
  async function show(place) {
    reset();
    app.data.current_entity = place.entity || place.base_entity;
    const view = VIEWS[place.view];
    markMenu(place);
    document.body.setAttribute('data-view', place.view);
    const shown = await drawn(view, place);
    document.title = `${shown.title(place)} — amoCRM (${text('sandbox')})`;
    window.scrollTo(0, 0);
  }

  /** The search of the top bar looks through the list it stands on, contacts elsewhere. */
  function bind() {
    card.bind();
    list.bind();
    settings.bind();
    automation.bind();
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
