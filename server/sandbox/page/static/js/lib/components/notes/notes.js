/** The feed of a card, for widgets that want it drawn again. */
define(['jquery'], function ($) {
  'use strict';

  return { reload: () => $(document).trigger('card:notes:reload'), getElement: () => $('.js-notes') };
});
