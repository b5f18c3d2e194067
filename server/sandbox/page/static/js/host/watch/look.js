/** What a widget does to the look of the page: style rules that reach beyond it, and elements that lie on the host's. */
define(['host/watch/owner', 'host/watch/findings', 'host/watch/inserts'], function (owner, findings, inserts) {
  'use strict';

  const HOST_SHEET = '/frontend/css/';
  const NAME = /([.#])((?:\\.|[\w-]|[^\x00-\x7f])+)|\[data-([\w-]+)/g;
  const HOST_DATA = ['id', 'type', 'code', 'entity', 'value', 'theme', 'sandbox', 'view'];
  const CONTROLS = '#nav_menu .nav__menu__item__link, .nav__logo, .js-notifications-toggle, .list__top__actions a, .js-list-more, .js-card-save';
  const SOON_MS = 200; // after an insertion, when the browser has laid it out
  const seen = new WeakSet();
  const hostNames = new Set();
  let timer = null;

  const namesIn = (selector) => [...selector.matchAll(NAME)].map(([, , name, data]) => ({ name, data }));

  function rulesOf(sheet) {
    try {
      return [...sheet.cssRules].flatMap((rule) => (rule.selectorText ? rule : rule.cssRules ? rulesOf(rule) : []));
    } catch (error) {
      return []; // of another origin
    }
  }

  /** Classes and ids of the host: those of its own sheets, and those of the page before any widget has come. */
  function learnHost() {
    const sheets = [...document.styleSheets].filter((sheet) => (sheet.href || '').includes(HOST_SHEET));
    sheets.flatMap(rulesOf).forEach((rule) => namesIn(rule.selectorText).forEach((one) => hostNames.add(one.name)));
    document.querySelectorAll('body [class], body [id]').forEach((element) => {
      [...element.classList, element.id].forEach((name) => hostNames.add(name));
    });
  }

  const isHosts = (name) => hostNames.has(name) || name.startsWith('js-');

  /** A rule keeps to its widget when something in its selector is the widget's own. */
  const isScoped = (selector) =>
    namesIn(selector).some(({ name, data }) => (name ? !isHosts(name) : !HOST_DATA.includes(data)));

  const onlySetsVariables = (rule) => [...rule.style].every((name) => name.startsWith('--'));

  const reaching = (rule) =>
    onlySetsVariables(rule) ? [] : rule.selectorText.split(/,(?![^(]*\))/).filter((selector) => !isScoped(selector));

  function ownerOf(sheet) {
    const node = sheet.ownerNode;
    const block = node && node.closest('[data-code]');
    return owner.read(`${sheet.href}:1:1`) || inserts.ownerOf(node) || (block && { widget: block.dataset.code });
  }

  function sheets() {
    [...document.styleSheets]
      .filter((sheet) => !seen.has(sheet) && !(sheet.href || '').includes(HOST_SHEET))
      .forEach((sheet) => {
        const who = ownerOf(sheet);
        seen.add(sheet);
        const found = who ? rulesOf(sheet).flatMap(reaching) : [];
        if (!found.length) return;
        const shown = found.slice(0, 5).map((selector) => selector.trim()).join(', ');
        const where = sheet.href ? new URL(sheet.href).pathname.split('/').slice(4).join('/') : who.where;
        findings.rule('css', { widget: who.widget, where, more: shown });
      });
  }

  function covers() {
    document.querySelectorAll(CONTROLS).forEach((control) => {
      const { left, top, width, height } = control.getBoundingClientRect();
      const there = width && document.elementFromPoint(left + width / 2, top + height / 2);
      const who = there && !control.contains(there) && inserts.ownerOf(there);
      if (who) findings.rule('cover', Object.assign({ more: control.textContent.trim() || control.className }, who));
    });
  }

  function lookAgain() {
    timer = null;
    sheets();
    covers();
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(lookAgain, SOON_MS);
  }

  function watch() {
    learnHost();
    inserts.listen(soon);
    const page = document.documentElement;
    new MutationObserver(() => page.dataset.sandbox === 'ready' && soon()).observe(page, {
      attributeFilter: ['data-sandbox'],
    });
    document.addEventListener('load', (event) => event.target.nodeName === 'LINK' && soon(), true);
  }

  return { watch };
});
