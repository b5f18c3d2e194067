define(function (require, exports) {
  const $ = require('jquery');
  exports.account = () => $.get('/api/v4/account');
  exports.pipelines = async () => (await fetch('/api/v4/leads/pipelines')).json();
});
