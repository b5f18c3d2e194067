/**
 * The feed of a card as a Backbone view: `View` with its collection `notes`, which tells `notes:updated`. The card on
 * screen has one as `APP.data.card_page.notes`.
 */
define(['jquery', 'backbone'], function ($, Backbone) {
  'use strict';

  const View = Backbone.View.extend({
    initialize(options) {
      this.notes = new Backbone.Collection((options || {}).notes || []);
    },

    /** What the server says now, in place of what was there. */
    update(notes) {
      this.notes.reset(notes);
      this.notes.trigger('notes:updated', this.notes);
    },

    reload() {
      $(document).trigger('card:notes:reload');
    },
  });

  return { View };
});
