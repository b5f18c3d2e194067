/**
 * amoCRM's modal window: new Modal({class_name, init($body), destroy(), …}). It stays invisible until the body gets
 * `modal:loaded`; `destroy` may answer false to keep it open.
 */
define(['jquery', 'underscore', 'host/html', 'host/trace', 'host/texts', 'host/templates'], function (
  $,
  _,
  html,
  trace,
  text,
  render,
) {
  'use strict';

  const DEFAULTS = {
    class_name: '',
    container: null,
    init: _.noop,
    destroy: _.noop,
    disable_overlay_click: false,
    disable_escape_keydown: false,
    disable_enter_keydown: false,
    disable_cancel_click: false,
    disable_resize: false,
    init_animation: false,
    default_overlay: false,
    centrify_animation: false,
    can_centrify: true,
    preload_templates: [],
    focus_element: '.js-modal-accept',
  };
  let count = 0;

  function Modal(options) {
    this.options = _.extend({}, DEFAULTS, options);
    this.ns = `.modal${++count}`;
    this.returnTo = document.activeElement;
    this._draw();
    this._bind();
    const templates = this.options.preload_templates.map((one) => load(one));
    if (templates.length) $.when(...templates).then(() => this._init());
    else this._init();
  }

  const load = (options) => render.render(Object.assign({}, options, { promised: true }));

  _.extend(Modal.prototype, {
    _init() {
      try {
        this.options.init.call(this, this.$modal_body, this);
      } catch (error) {
        trace.error(null, 'modal init', error);
      }
    },

    _draw() {
      const { class_name, default_overlay, container, init_animation } = this.options;
      this.$modal = $(
        String(html`<div class="modal ${class_name} ${init_animation ? 'modal_animated' : ''}" role="dialog" aria-modal="true">
        <div class="modal-overlay ${default_overlay ? 'default-overlay' : ''}"></div>
        <div class="modal-scroller custom-scroll"><div class="modal-body modal-body-relative" tabindex="-1"></div></div></div>`),
      );
      this.$modal_body = this.$modal.find('.modal-body');
      this._addClose();
      this.$modal.appendTo(container || document.body);
    },

    // Widgets put their content by .html(), which takes the button away; modal:loaded brings it back.
    _addClose() {
      if (this.$modal_body.find('.modal-body__close').length) return;
      this.$modal_body.append(
        String(html`<button type="button" class="modal-body__close" aria-label="${text('modal.close')}">
        <span class="icon icon-modal-close" aria-hidden="true"></span></button>`),
      );
    },

    _bind() {
      this.$modal_body
        .on('modal:loaded', () => this._shown())
        .on('modal:centrify', () => this._centrify())
        .on('click', '.modal-body__close', () => this.destroy())
        .on('click', '.js-modal-cancel', () => !this.options.disable_cancel_click && this.destroy());
      // An empty part of the scroller is the overlay for the one who clicks.
      this.$modal.on('click', '.modal-scroller, .modal-overlay', (event) => {
        if (event.target === event.currentTarget && !this.options.disable_overlay_click) this.destroy();
      });
      $(document).on(`keydown${this.ns}`, (event) => this._key(event));
      if (!this.options.disable_resize)
        $(window).on(`resize${this.ns}`, () => this.$modal_body.trigger('modal:centrify'));
    },

    _key(event) {
      if (this.$modal.is($('.modal').last()) === false) return;
      if (event.key === 'Escape' && !this.options.disable_escape_keydown) this.destroy();
      if (event.key === 'Enter' && !this.options.disable_enter_keydown && event.target === this.$modal_body[0]) {
        this.$modal_body.find('.js-modal-accept').first().trigger('click');
      }
      if (event.key === 'Tab') this._keepFocus(event);
    },

    _keepFocus(event) {
      const $stops = this.$modal_body
        .find('a[href], button, input, select, textarea, [tabindex="0"]')
        .filter(':visible:enabled');
      const edge = event.shiftKey ? $stops.first() : $stops.last();
      if (!edge.is(document.activeElement)) return;
      event.preventDefault();
      (event.shiftKey ? $stops.last() : $stops.first()).trigger('focus');
    },

    _shown() {
      this._addClose();
      this.$modal.addClass('is-visible modal_loaded');
      const $focus = this.$modal_body.find(this.options.focus_element).first();
      ($focus.length ? $focus : this.$modal_body).trigger('focus');
      this._centrify();
    },

    // The style sheet centres the body; the classes say that the widget asked for it, and whether it moves there.
    _centrify() {
      this._addClose();
      if (!this.options.can_centrify) return;
      this.$modal_body
        .addClass('modal-body_centrified')
        .toggleClass('modal-body_moving', Boolean(this.options.centrify_animation));
    },

    /** Used by an official sample: an error in place of the content. */
    _showError(message) {
      this.$modal_body.html(
        String(html`<p class="modal-body__error" role="alert">${message || text('modal.error')}</p>`),
      );
      this._shown();
    },
    showError(message) {
      this._showError(message);
    },

    destroy() {
      let answer;
      try {
        answer = this.options.destroy.call(this);
      } catch (error) {
        trace.error(null, 'modal destroy', error);
      }
      if (answer === false) return;
      $(document).add(window).off(this.ns);
      this.$modal.remove();
      if (this.returnTo && this.returnTo.isConnected) this.returnTo.focus();
    },
  });

  return Modal;
});
