/** What `self.system()` answers; the loader feeds it from the list of widgets. */
define(['host/app', 'host/here'], function (app, here) {
  'use strict';

  const widgets = window.SANDBOX_BOOT.widgets;

  /** A fresh copy each time: widgets overwrite `self.system` and its members. */
  return function system() {
    const area = here.place ? here.place.system_area : null;
    return Object.assign({}, app.widgets ? app.widgets.system : widgets.system, { area });
  };
});
