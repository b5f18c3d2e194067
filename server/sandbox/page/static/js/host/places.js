/** What every address of the host page means: which view, which widget area, which entity. Pure. */
define([], function () {
  'use strict';

  const CARD = { contacts: 'ccard', leads: 'lcard', companies: 'comcard', customers: 'cucard' };
  const LIST = { contacts: 'clist', leads: 'llist', companies: 'clist', customers: 'culist', todo: 'tlist' };

  const card = (entity, id) => ({
    view: 'card',
    entity,
    id,
    area: `${entity}_card`,
    system_area: CARD[entity],
    base_entity: entity,
  });
  const list = (entity) => ({ view: 'list', entity, area: entity, system_area: LIST[entity], base_entity: entity });
  const plain = (view, area, base, system = area) => ({ view, area, system_area: system, base_entity: base || area });

  const STATS = { calls: 'statsCalls', human: 'stats-human' };

  const RULES = [
    [/^\/(?:dashboard\/?)?$/, () => plain('dashboard', 'dashboard')],
    [/^\/(leads|contacts|companies|customers)\/detail\/(\d+)\/?$/, (m) => card(m[1], Number(m[2]))],
    [/^\/(leads|contacts|companies|customers)\/add\/?$/, (m) => card(m[1], 0)],
    [/^\/leads\/pipeline(?:\/\d+)?\/?$/, () => plain('pipeline', 'leads-pipeline', 'leads', 'llist')],
    [/^\/leads\/trash\/?$/, () => plain('missing', 'leads-trash', 'leads', 'llist')],
    [/^\/customers\/pipeline\/?.*$/, () => plain('missing', 'customers-pipeline', 'customers', 'culist')],
    [/^\/(leads|contacts|companies|customers)\/(?:list\/.*|list)?$/, (m) => list(m[1])],
    [/^\/todo\/(?:list\/?)?$/, () => list('todo')],
    [
      /^\/todo\/(line|calendar)\/?.*$/,
      (m) => Object.assign(list('todo'), { area: `todo-${m[1]}`, system_area: `t${m[1]}` }),
    ],
    [/^\/mail\/(?:.*)$/, () => plain('mail', 'mail')],
    [/^\/settings\/pay\/?$/, () => plain('pay', 'settings', 'settings', 'settings')],
    [
      /^\/settings\/widgets\/?([^/]+)?\/?$/,
      (m) =>
        Object.assign(plain('settings', 'widgetsSettings', 'widgetsSettings', 'settings'), { opened: m[1] || null }),
    ],
    [/^\/settings\/pipeline\/.*$/, () => plain('automation', 'digital_pipeline', 'leads')],
    [/^\/settings\/(users|communications)\/?.*$/, (m) => plain('missing', `settings-${m[1]}`, 'settings', 'settings')],
    [/^\/(events|catalogs)\/?.*$/, (m) => plain('missing', m[1])],
    [/^\/stats\/(calls|human)\/?.*$/, (m) => plain('missing', STATS[m[1]], 'stats')],
    [/^\/stats\/?.*$/, () => plain('missing', 'stats')],
    [
      /^\/settings\/advanced\/([^/]+)\/?$/,
      (m) =>
        Object.assign(plain('advanced', `advanced-settings:${m[1]}`, 'settings', 'widget.advanced_settings'), {
          code: m[1],
        }),
    ],
    [
      /^\/widget_page\/([^/]+)\/([^/]+)(?:\/([^/]+))?\/?$/,
      (m) =>
        Object.assign(plain('menu_page', `widget-page:${m[1]}`, 'widget_page', 'widget_page'), {
          code: m[1],
          item: m[2],
          subitem: m[3] || null,
          location: ['stats', 'settings'].includes(m[2]) ? m[2] : 'widget_page',
        }),
    ],
    [/^\/settings\/?.*$/, () => plain('settings', 'settings', 'settings', 'settings')],
  ];

  /**
   * @param {string} address path with query
   * @returns {{view, area, system_area, base_entity, path, query, entity?, id?, code?}}
   */
  function describe(address) {
    const url = new URL(address, location.origin);
    const facts = { path: url.pathname, query: url.searchParams };
    for (const [pattern, make] of RULES) {
      const match = pattern.exec(url.pathname);
      if (match) return Object.assign(make(match), facts);
    }
    return Object.assign(plain('missing', 'missing'), facts);
  }

  return { describe };
});
