/** The softphone's icon in the left menu: `APP.widgets.notificationsPhone({ns, click})`. */
define(['jquery', 'host/html', 'host/icons', 'host/trace'], function ($, html, icon, trace) {
  'use strict';

  const find = (ns) => $('#left_menu .calls-list-toggler').filter((index, button) => $(button).attr('data-ns') === ns);

  return {
    notificationsPhone({ ns, click } = {}) {
      find(ns).remove();
      const $button = $(
        String(html`<button type="button" class="nav__notifications__phone calls-list-toggler" data-ns="${ns}" aria-label="phone">
        ${icon('call')}<span class="js-notifications_call_list_counter nav__notifications__counter"></span></button>`),
      );
      $button.on('click', (event) => {
        if (typeof click === 'function')
          trace.run(String(ns).split(':')[1] || null, 'notificationsPhone:click', () => click(event));
      });
      $('#left_menu .nav__notifications').prepend($button);
      return $button;
    },
    destroyNotificationsPhone: ({ ns } = {}) => find(ns).remove(),
  };
});
