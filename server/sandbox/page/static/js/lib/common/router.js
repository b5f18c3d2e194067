/** The host's navigation, for widgets that ask for it as a module. */
define(['host/router'], function (router) {
  'use strict';

  return { navigate: router.navigate };
});
