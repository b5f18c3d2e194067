/** The column of widget blocks right of a card; in lists a panel over the table. */
define(['jquery', 'host/announce', 'host/app', 'host/here', 'host/html', 'host/texts', 'lib/common/cookie'], function (
  $,
  announce,
  app,
  here,
  html,
  text,
  cookie,
) {
  'use strict';

  const ACTIVE = 'js-widgets-active';
  const EXPANDED = 'js-body-hide'; // amoCRM's name says the opposite of what it means

  const $column = () => $('#widgets_block');
  const key = () => `${here.place.entity}_crd_wdgt`;
  const parts = () => $('#widgets_block, #card_holder, #card_fake');

  /** The skeleton, for a card or (`in_list`) for a list. */
  function markup(inList) {
    return html`<div id="widgets_block" class="card-widgets ${inList ? 'card-widgets_list' : ''}">
      <button type="button" class="card-widgets__top" aria-expanded="false">
        <span class="card-widgets__top-title">${text('widgets.title')}</span><span class="card-widgets__top-arrow" aria-hidden="true"></span>
      </button>
      <div id="nano-card-widgets" class="nano ${inList ? 'in_list' : ''}">
        <div class="card-widgets__elements nano-content"><div class="card-widgets__cap js-card-widgets-cap"></div></div>
      </div></div><div id="card_widgets_overlay"></div>`;
  }

  function block(settings, langs, caption) {
    const code = settings.widget_code;
    const name = (langs.widget || {}).name || code;
    const logo = (file, kind) =>
      html`<img class="card-widgets__widget__caption__${kind}" src="${settings.images_path}/${file}" alt="${name}">`;
    const own = caption.html ? html.raw(caption.html) : '';
    return $(
      String(html`<div class="card-widgets__widget card-widgets__widget-${code}" data-code="${code}" id="${code}">
      <div class="card-widgets__widget__caption js-widget-caption-block ${caption.class_name || ''}" role="button" tabindex="0"
        aria-expanded="false" aria-label="${name}">
        ${logo('logo_medium.png', 'logo')}${logo('logo_min.png', 'logo_min')}${own}
        <span class="card-widgets__widget__caption__arrow widgets__widget__caption__arrow_bottom"></span>
      </div><div class="card-widgets__widget__body js-body"></div></div>`),
    );
  }

  /** `self.render_template`: the widget's standard block, made or replaced. */
  function put(settings, langs, { caption, body, render }, renderSource) {
    if (!$column().length) return;
    const $block = block(settings, langs, caption || {});
    $block.find('.js-body').append(body || '', render ? renderSource(render) : '');
    const $old = $column().find(`[data-code="${settings.widget_code}"]`);
    const isFirst = !$column().find('.card-widgets__widget').length;
    if ($old.length) $old.replaceWith($block);
    else $column().find('.card-widgets__elements').append($block);
    $column().addClass('_with-scroll').find('.js-card-widgets-cap').addClass('_with-widgets');
    if (isFirst || $old.find('.js-body').hasClass(EXPANDED)) toggleBody($block, true);
  }

  function toggleBody($block, open) {
    const $body = $block.find('.card-widgets__widget__body').toggleClass(EXPANDED, open);
    const $caption = $block.find('.js-widget-caption-block').attr('aria-expanded', String($body.hasClass(EXPANDED)));
    const isOpen = $body.hasClass(EXPANDED);
    $caption
      .find('.card-widgets__widget__caption__arrow')
      .toggleClass('widgets__widget__caption__arrow_top', isOpen)
      .toggleClass('widgets__widget__caption__arrow_bottom', !isOpen);
    announce('widgets_body:change_state', [{ $el: $block, state: isOpen }]);
  }

  const isOpen = () => $column().hasClass(ACTIVE);

  function openPanel(open) {
    parts().toggleClass(ACTIVE, open);
    $('#card_holder').toggleClass('content__card-holder-widgets', open);
    $column().find('.card-widgets__top').attr('aria-expanded', String(open));
    if (here.place.view === 'card') cookie.set(key(), open ? 1 : 0);
    announce('toggleWidgetPanel', [open]);
    announce(open ? 'widgets:card-minimized' : 'widgets:card-maximized');
  }

  /** The card asks how many widgets the column will hold before any is drawn; with none the column is hidden. */
  function count(place) {
    if (place.view !== 'card') return;
    const counts = app.widgets.system.displayed_count_by_area || {};
    const total = (counts[place.area] || 0) + (counts.everywhere || 0);
    $('#card_holder').toggleClass('js-widgets-hidden', total === 0);
    $column().toggleClass('js-widgets-hidden', total === 0);
    openPanel(total > 0 && cookie.get(key()) !== '0');
    if (total) announce('widgets-in-card:show');
  }

  /** `self.widgetsOverlay`: the panel over a list. */
  function overlay(on) {
    parts().toggleClass(ACTIVE, on);
    $('#card_widgets_overlay').toggleClass('is-visible', on);
  }

  function bind() {
    $(document)
      .on('click.host-widgets', '.card-widgets__top', () =>
        here.place.view === 'list' ? overlay(false) : openPanel(!isOpen()),
      )
      .on('click.host-widgets', '.card-widgets__elements', () => {
        if (!isOpen() && here.place.view === 'card') openPanel(true);
      })
      .on('click.host-widgets', '.js-widget-caption-block', (event) => {
        if (isOpen()) toggleBody($(event.currentTarget).parent()); // a click on the closed panel only opens it
      })
      .on('keydown.host-widgets', '.js-widget-caption-block', (event) => {
        if (event.key === 'Enter' || event.key === ' ') $(event.currentTarget).trigger('click');
      })
      .on('openWidgetPanel', () => openPanel(true))
      .on('click.host-widgets', '#card_widgets_overlay', () =>
        here.place.view === 'card' ? openPanel(false) : overlay(false),
      );
  }

  return {
    markup,
    put,
    count,
    overlay,
    bind,
    remove: (code) => $column().find(`[data-code="${code}"]`).remove(),
    clear: () => $column().find('.card-widgets__widget').remove(),
  };
});
