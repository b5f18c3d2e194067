/** Where the page is: the router's description of it (null before the first page), and the pipeline on screen. */
define([], function () {
  'use strict';

  return { place: null, pipeline_id: null };
});
