/** The address of the page taken apart: parts of the path (`/detail/501`) and parameters of the query. */
define([], function () {
  'use strict';

  const query = () => new URLSearchParams(location.search);
  const quoted = (name) => String(name).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

  /** `a=1&a=2` → {a: ['1', '2']}; `a[b]=1` with `deep` → {a: {b: '1'}}. An object → the string. */
  function QStoJSON(value, deep) {
    if (typeof value !== 'string') return toQuery(value);
    const found = {};
    new URLSearchParams(value.slice(value.indexOf('?') + 1)).forEach((text, name) => {
      if (deep && name.includes('[')) plant(found, name.replace(/\]/g, '').split('['), text);
      else found[name] = name in found ? [].concat(found[name], text) : text;
    });
    return found;
  }

  function plant(target, path, text) {
    const [name, ...rest] = path;
    const key = name === '' ? Object.keys(target).length : name;
    if (!rest.length) {
      target[key] = text;
      return;
    }
    if (typeof target[key] !== 'object') target[key] = {};
    plant(target[key], rest, text);
  }

  function toQuery(values) {
    const pair = (name, value) => `${name}=${encodeURIComponent(value)}`;
    return Object.keys(values || {})
      .flatMap((name) => {
        const value = values[name];
        if (Array.isArray(value)) return value.map((one) => pair(`${name}[]`, one));
        if (value && typeof value === 'object')
          return Object.keys(value).map((key) => pair(`${name}[${key}]`, value[key]));
        return [pair(name, value)];
      })
      .join('&');
  }

  /** The number after a part of the path: getParam('detail') on /leads/detail/501 is 501; false where there is none. */
  function getParam(name) {
    const match = new RegExp(`${quoted(name)}/([^/]+)`, 'i').exec(location.pathname);
    return match ? Number.parseInt(match[1], 10) || 0 : false;
  }

  /** The path with `/name/value/` parts set, or taken out where the value is empty; the query stays. */
  function setParam(values, { only_path = false } = {}) {
    const path = Object.keys(values || {}).reduce((left, name) => {
      const isEmpty = values[name] === null || values[name] === undefined || String(values[name]) === '';
      const part = isEmpty ? '' : `${name}/${values[name]}/`;
      const known = new RegExp(`${quoted(name)}/[^/]*/?`);
      if (known.test(left)) return left.replace(known, part);
      return part ? left.replace(/\/?$/, '/') + part : left;
    }, location.pathname);
    return only_path ? path : path + location.search;
  }

  /** One parameter of the query; false where it is missing. A phone keeps its plus. */
  function getQueryParam(name) {
    const source = name === 'phone' ? location.search.replace(/\+/g, '%2B') : location.search;
    const found = new URLSearchParams(source).get(name);
    return found === null ? false : found;
  }

  /** The address with parameters set, or taken out where the value is empty. */
  function setQueryParam(values, { query_string, only_query_string = false } = {}) {
    const params = new URLSearchParams(typeof query_string === 'string' ? query_string : location.search);
    Object.keys(values || {}).forEach((name) => {
      params.delete(name);
      [].concat(values[name]).forEach((value) => {
        if (value !== null && value !== undefined && value !== '') params.append(name, value);
      });
    });
    const text = params.toString();
    return (only_query_string ? '' : location.pathname) + (text ? `?${text}` : '');
  }

  function removeQueryParam(names, query_string) {
    const params = new URLSearchParams(query_string === undefined ? location.search : query_string);
    [].concat(names).forEach((name) => params.delete(name));
    return params.toString();
  }

  return {
    QStoJSON,
    getParam,
    setParam,
    getQueryParam,
    setQueryParam,
    removeQueryParam,
    getQueryString: () => query().toString(),
  };
});
