/** The smallest page that starts the built widget as amoCRM does. For pictures; behaviour is tested through the sandbox. */
(async () => {
  const query = new URLSearchParams(location.search);
  const lang = query.get("lang") || "ru";
  if (query.get("theme") === "dark") document.body.classList.add("dark");
  window.seen = [];
  const see =
    (name) =>
    (...args) =>
      window.seen.push([name, ...args]);

  window.APP = {
    lang_id: lang,
    constant: (key) => ({ account: { id: 7001 }, user: { id: Number(query.get("user") || 101) } })[key],
    isCard: () => false,
    router: { navigate: see("navigate") },
    notifications: {
      add_call: see("add_call"),
      add_error: see("add_error"),
      show_message_error: see("show_message_error"),
    },
    sdk: { setCallingStatus: see("calling") },
  };

  const actions = {};
  const langs = await (await fetch(`/widget/i18n/${lang}.json`)).json();
  const base = {
    langs,
    ns: ".widget:kmt",
    params: {
      widget_code: "kmt",
      path: "/widget",
      version: "1",
      backend_url: query.get("backend") || "",
      extensions: JSON.stringify({ 101: "201", 102: "202" }),
    },
    get_settings() {
      return this.params;
    },
    get_install_status: () => query.get("status") || "installed",
    system: () => ({ amouser_id: "101", subdomain: "demo" }),
    add_action: (type, action) => {
      actions[type] = action;
    },
    $authorizedAjax: (options) => $.ajax({ ...options, headers: { "X-Auth-Token": "one-time" } }),
    render: ({ load }) => load({ render: (values) => JSON.stringify(values) }),
  };

  const load = (url) =>
    new Promise((resolve) => {
      window.define = (names, factory) => resolve(factory($, class Modal {}));
      document.head.append(Object.assign(document.createElement("script"), { src: url }));
    });
  window.require = ([url], onLoad) => {
    load(url).then(onLoad);
  };

  const Widget = await load("/widget/script.js");
  Object.assign(Widget.prototype, base);
  const widget = new Widget();
  window.widget = widget;
  window.click = (type, value) => actions[type]({ value, type });
  widget.callbacks.render();
  widget.callbacks.init();
  widget.callbacks.bind_actions();
  if (query.has("settings")) {
    const page = document.getElementById("page");
    page.innerHTML =
      '<div class="window"><label class="field">Адрес сервера Коммутатора<input class="text-input" name="backend_url"></label><div id="kmt_custom_content"></div></div>';
    page.querySelector("input").value = query.get("backend") || "";
    widget.callbacks.settings($(page));
  }
  document.documentElement.dataset.harness = "ready";
})();
