/** Twig as widgets use it: sources, host controls by ref (synchronous), files of the archive (asynchronous). */
define(['jquery', 'underscore', 'twig', 'host/trace'], function ($, _, Twig, trace) {
  'use strict';

  const files = {}; // address → promise of a template
  const controls = JSON.parse(document.getElementById('control-templates').textContent);

  Object.keys(controls).forEach((id) => Twig.twig({ id, data: controls[id], allowInlineIncludes: true }));
  Twig.extendFunction('include_control', (name, params) => control(`/tmpl/controls/${name}.twig`, params || {}));

  function control(ref, params) {
    const template = Twig.twig({ ref });
    if (template) return template.render(params || {});
    trace.error(null, 'render', new Error(`no control template ${ref}`));
    return '';
  }

  const compile = (data) => Twig.twig({ data: String(data), allowInlineIncludes: true });

  function address(options) {
    const base = String(options.base_path || '').replace(/\/$/, '');
    const path = String(options.href).replace(/^\/?/, '/');
    const version = options.v === undefined ? '' : `${path.includes('?') ? '&' : '?'}v=${options.v}`;
    return base + path + version;
  }

  function fetchTemplate(options) {
    const url = address(options);
    if (!files[url]) {
      files[url] = $.ajax({ url, dataType: 'text' }).then(compile, (request) => {
        delete files[url];
        const error = new Error(`template ${url}: HTTP ${request.status}`);
        trace.error(null, 'render', error);
        return $.Deferred().reject(error);
      });
    }
    return files[url];
  }

  /** The whole of `self.render`: text at once for `data` and `ref`, a template by callback or promise for `href`. */
  function render(options, params) {
    if (options.ref) return control(options.ref, params);
    if (options.data !== undefined) return compile(options.data).render(params || {});
    if (!options.href) return '';
    const loading = fetchTemplate(options);
    if (typeof options.load === 'function') {
      loading.done((template) => {
        try {
          options.load(template);
        } catch (error) {
          trace.error(null, 'render load', error);
        }
      });
    }
    return options.promised || typeof options.load !== 'function' ? loading : undefined;
  }

  return { render };
});
