/** The rules of amoCRM's moderation that can be seen being broken (platform reference, what moderation rejects). */
define(['host/watch/owner', 'host/watch/patch', 'host/watch/findings'], function (owner, patch, findings) {
  'use strict';

  const { around } = patch;
  const ALLOWED = ['debug', 'trace']; // trace may stand in a catch, which nobody can see from here
  const GUARDED = ['data', 'notifications', 'sdk', 'router', 'widgets'];

  /** Getters, not wrappers: the browser's tools still show the widget's own line. */
  function watchConsole() {
    Object.keys(console)
      .filter((name) => typeof console[name] === 'function' && !ALLOWED.includes(name))
      .forEach((name) => {
        let current = console[name];
        Object.defineProperty(console, name, {
          configurable: true,
          get() {
            const who = owner.direct({ throughVendor: false });
            if (who) findings.rule('console', Object.assign({ more: `console.${name}` }, who));
            return current;
          },
          set(value) {
            current = value;
          },
        });
      });
  }

  function watchDialogs() {
    ['alert', 'confirm', 'prompt'].forEach((name) =>
      around(window, name, (original) => (...args) => {
        const who = owner.direct();
        if (who) findings.rule('dialog', Object.assign({ more: name }, who));
        return original.apply(window, args);
      }),
    );
  }

  /** A wrapper would change what eval means; the browser itself tells of it, by a policy that only reports. */
  function watchPolicy() {
    document.addEventListener('securitypolicyviolation', (event) => {
      const who = owner.read(`${event.sourceFile}:${event.lineNumber}:${event.columnNumber}`);
      if (!who) return;
      if (event.blockedURI === 'eval') findings.rule('eval', who);
      else if (/^https?:/.test(event.blockedURI))
        findings.rule('foreign', Object.assign(who, { where: '', more: event.blockedURI }));
    });
  }

  function watchClicks() {
    window.addEventListener(
      'click',
      (event) => {
        const button = event.isTrusted ? null : event.target.closest('.js-widget-install, .js-widget-uninstall');
        const who = button && owner.direct();
        if (who) findings.rule('click', who);
      },
      true,
    );
  }

  /** The object that widgets see as APP: reading is free, writing is told and done all the same. */
  function guarded(object, name, sections = []) {
    const views = new WeakMap(); // section as it is now → its view
    const wrote = (key) => {
      const who = owner.direct();
      if (who) findings.rule('global', Object.assign({ more: `${name}.${String(key)}` }, who));
    };
    function view(key, section) {
      if (!views.has(section)) views.set(section, guarded(section, `${name}.${key}`));
      return views.get(section);
    }
    return new Proxy(object, {
      get(target, key) {
        const value = target[key];
        return sections.includes(key) && value && typeof value === 'object' ? view(key, value) : value;
      },
      set(target, key, value) {
        wrote(key);
        target[key] = value;
        return true;
      },
      deleteProperty(target, key) {
        wrote(key);
        return delete target[key];
      },
    });
  }

  function watchGlobals() {
    let view = guarded(window.APP, 'APP', GUARDED);
    ['APP', 'AMOCRM'].forEach((name) =>
      Object.defineProperty(window, name, {
        configurable: true,
        get: () => view,
        set(value) {
          const who = owner.direct();
          if (who) findings.rule('global', Object.assign({ more: name }, who));
          view = value;
        },
      }),
    );
  }

  function watch() {
    [watchConsole, watchDialogs, watchPolicy, watchClicks, watchGlobals].forEach((start) => start());
  }

  return { watch };
});
