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

  /** A template that is here already: a host control by `ref`, or a source by `data`. */
  function present(options) {
    if (options.data !== undefined) return compile(options.data);
    return { render: (params) => control(options.ref, params) };
  }

  /**
   * The whole of `self.render`: text at once for `data` and `ref`, a template by callback or promise for `href`;
   * `promised` makes a promise of every form. The callback gets the parameters too, as amoCRM's own sample expects.
   */
  function render(options, params) {
    const isPresent = Boolean(options.ref) || options.data !== undefined;
    if (!isPresent && !options.href) return '';
    if (isPresent && !options.promised && !options.load) return present(options).render(params);
    const loading = isPresent ? $.Deferred().resolve(present(options)).promise() : fetchTemplate(options);
    if (typeof options.load === 'function') loading.done((template) => tell(options.load, template, params));
    return options.promised || typeof options.load !== 'function' ? loading : undefined;
  }

  function tell(load, template, params) {
    try {
      load(template, params || {});
    } catch (error) {
      trace.error(null, 'render load', error);
    }
  }

  return { render };
});
