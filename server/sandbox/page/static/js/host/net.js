/** Requests of the host page: its own endpoints, crm_post's queue, $authorizedAjax, and the guard that follows releases. */
define(['jquery', 'host/app', 'host/trace', 'host/watch/owner'], function ($, app, trace, owner) {
  'use strict';

  const CRM_POST_EVERY_MS = 1000; // amoCRM lets one proxied request per second leave a page
  let calling = false;
  let released = false;
  let nextPostAt = 0;

  const get = (url, data) => $.ajax({ url, data, dataType: 'json' });
  const post = (url, data) =>
    $.ajax({ url, method: 'POST', contentType: 'application/json', data: JSON.stringify(data), dataType: 'json' });

  const postForm = (url, data) => $.ajax({ url, method: 'POST', data, dataType: 'json' });

  /** POST through amoCRM's own server; queued, one a second. Text is the default type. */
  function crmPost(url, data, success, type, failure, options) {
    const wait = Math.max(0, nextPostAt - Date.now());
    nextPostAt = Math.max(Date.now(), nextPostAt) + CRM_POST_EVERY_MS;
    const dataType = type || 'text';
    setTimeout(() => {
      $.ajax({
        url: '/private/widget/proxy.php',
        method: 'POST',
        data: { target: url, data: typeof data === 'string' ? data : JSON.stringify(data || {}) },
        headers: (options && options.headers) || {},
        dataType,
        success: (answer) => guarded('crm_post success', success, [answer]),
        error: (request, status, error) => {
          // With text the documentation promises the success callback in any case.
          if (request.status && (dataType === 'text' || dataType === 'html'))
            guarded('crm_post success', success, [request.responseText]);
          guarded('crm_post error', failure, [request, status, error]);
        },
      });
    }, wait);
  }

  function guarded(where, action, args) {
    if (typeof action !== 'function') return;
    try {
      action(...args);
    } catch (error) {
      trace.error(null, where, error);
    }
  }

  /** Like $.ajax with a disposable token of the widget's integration in X-Auth-Token. */
  function authorizedAjax(code, options) {
    const settings = Object.assign({}, options);
    return post('/ajax/one-time-token', { code }).then(
      (answer) => {
        settings.headers = Object.assign({}, settings.headers, { 'X-Auth-Token': answer.token });
        return owner.as(code, () => $.ajax(settings));
      },
      (request, status, error) => {
        trace.error(
          code,
          '$authorizedAjax',
          new Error(`no one-time token: HTTP ${request.status} ${request.responseText || ''}`),
        );
        return $.Deferred().reject(request, status, error);
      },
    );
  }

  const callingStatus = {
    /** While true, a new release of the host does not reload the page. */
    setCallingStatus(on) {
      calling = Boolean(on);
      trace.record('callback', { widget: null, name: 'sdk.setCallingStatus', args: [calling] });
      if (!calling && released) location.reload();
    },
    getCallingStatus: () => calling,
  };

  /** Every AJAX answer names the release it came from; another one than ours means: reload. */
  function followReleases() {
    $(document).ajaxComplete((event, request) => {
      const loaded = {
        'X-Core-Version': app.constant('version'),
        'X-Core-Version-Backend': app.constant('version_backend'),
      };
      const changed = Object.keys(loaded).some((name) => {
        const answered = request.getResponseHeader && request.getResponseHeader(name);
        return answered && answered !== loaded[name];
      });
      if (!changed) return;
      released = true;
      if (!calling) location.reload();
    });
  }

  return { get, post, postForm, crmPost, authorizedAjax, callingStatus, followReleases };
});
