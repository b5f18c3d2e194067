/** Puts the sandbox's eyes around the browser's own functions; what they do stays what it was. */
define([], function () {
  'use strict';

  /** Replaces `object[name]` by what `make` builds around the original. */
  function around(object, name, make) {
    const original = object[name];
    if (typeof original !== 'function') return;
    const made = make(original);
    Object.defineProperty(made, 'name', { value: name });
    object[name] = made;
  }

  /** Tells of every object that is made by a constructor of the page. */
  function made(name, tell) {
    const Original = window[name];
    if (!Original) return;
    window[name] = new Proxy(Original, {
      construct(target, args, newTarget) {
        const object = Reflect.construct(target, args, newTarget);
        tell(object, args);
        return object;
      },
    });
  }

  return { around, made };
});
