/** Elements that widgets put into the page: scripts by hand, and everything outside the page's own area. */
define(['host/watch/owner', 'host/watch/patch', 'host/watch/findings', 'host/watch/leaks'], function (
  owner,
  patch,
  findings,
  leaks,
) {
  'use strict';

  const { around } = patch;
  const PAGE = '#page_holder';
  const owners = new WeakMap(); // element → who put it there
  const listeners = [];

  const ownerOf = (element) => {
    for (let node = element; node; node = node.parentElement) if (owners.has(node)) return owners.get(node);
    return null;
  };

  const isForeign = (url) => /^https?:/.test(url) && new URL(url).origin !== location.origin;

  function script(node, who) {
    if (isForeign(node.src)) findings.rule('foreign', Object.assign({ more: node.src }, who));
    else findings.rule('script', who);
  }

  /** RequireJS makes script elements itself; of a foreign one the module that asked for it is to blame. */
  function module(node) {
    if (!isForeign(node.src)) return;
    const wanted = node.getAttribute('data-requiremodule');
    const { registry } = window.requirejs.s.contexts._;
    const asking = Object.keys(registry).find((id) => registry[id].depMaps.some((one) => one.id === wanted));
    const who = owner.read(`${asking || ''}:1:1`);
    if (who) findings.rule('foreign', { widget: who.widget, where: '', more: node.src });
  }

  function put(parent, node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node.nodeName === 'SCRIPT') {
      if (node.hasAttribute('data-requiremodule')) module(node);
      else if (parent.isConnected && owner.direct()) script(node, owner.direct());
      return;
    }
    if (!parent.isConnected || parent.closest(PAGE) || ownerOf(parent)) return;
    const who = owner.direct();
    if (!who) return;
    owners.set(node, who);
    leaks.element(node, who);
    if (parent.closest('#left_menu') && parent.querySelector('.nav__notifications ~ *')) findings.rule('menu', who);
    listeners.forEach((listener) => listener());
  }

  /** Elements of a fragment are listed before it gives them away. */
  const spread = (nodes) =>
    nodes
      .flatMap((node) => (node instanceof DocumentFragment ? [...node.childNodes] : node))
      .filter((node) => node instanceof Node);

  /** `where` answers the parent of what is inserted, `which` picks it out of the arguments. */
  const telling = (where, which) => (original) => function (...args) {
    const parent = where(this, args);
    const nodes = parent instanceof Element ? spread(which(args)) : [];
    const answer = original.apply(this, args);
    nodes.filter((node) => node.parentNode === parent).forEach((node) => put(parent, node));
    return answer;
  };

  function watch() {
    const itself = (target) => target;
    const above = (target) => target.parentElement;
    const beside = (target, [place]) => (/^(beforebegin|afterend)$/i.test(place) ? target.parentElement : target);
    const first = (args) => args.slice(0, 1);
    const second = (args) => args.slice(1, 2);
    const every = (args) => args;
    ['appendChild', 'insertBefore', 'replaceChild'].forEach((name) =>
      around(Node.prototype, name, telling(itself, first)),
    );
    ['append', 'prepend'].forEach((name) => around(Element.prototype, name, telling(itself, every)));
    ['before', 'after', 'replaceWith'].forEach((name) => around(Element.prototype, name, telling(above, every)));
    around(Element.prototype, 'insertAdjacentElement', telling(beside, second));
  }

  return { watch, ownerOf, listen: (listener) => listeners.push(listener) };
});
