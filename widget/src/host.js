/**
 * amoCRM's page as the widget sees it: the only file that touches its globals. Whatever is missing there (an older core,
 * a page without a card, a foreign host) has a quiet answer here, so that no other file asks.
 */

/** @typedef {import("./vocabulary.js").Link} Link */

/** amoCRM's element types, as add_call wants them, by the first part of a path. */
const ELEMENT_TYPES = { contacts: "contact", leads: "lead", companies: "company" };

/** amoCRM's field for a new note, at the foot of a card, with its button. */
const NOTE_BOX_PX = 96;

/** A background of this lightness or less is a dark page. */
const DARK = 110;

/** @typedef {ReturnType<typeof createHost>} Host */

/**
 * @param {any} widget the instance that amoCRM constructed
 * @param {JQueryStatic} $
 */
export function createHost(widget, $) {
  const app = () => window.APP || window.AMOCRM || {};
  /** @param {string} key */
  const constant = (key) => (app().constant && app().constant(key)) || {};
  const params = () => widget.params || {};
  const system = () => (widget.system && widget.system()) || {};
  const settings = () => (widget.get_settings && widget.get_settings()) || params();
  const ns = () => widget.ns || `.widget:${params().widget_code}`;

  return {
    code: () => String(params().widget_code || settings().widget_code || ""),
    texts: () => widget.langs || {},
    lang: () => (app().lang_id === "ru" ? "ru" : "en"),
    account: () => String(constant("account").id || system().subdomain || ""),
    user: () => String(constant("user").id || system().amouser_id || ""),
    isInstalled: () => !widget.get_install_status || widget.get_install_status() !== "install",
    backendUrl: () => String(settings().backend_url || ""),
    extensions: () => parsedMap(settings().extensions),

    /** Moves inside the page without reloading it. @param {string} path */
    navigate(path) {
      const { router } = app();
      if (router && router.navigate) router.navigate(path, { trigger: true });
      else window.location.assign(path);
    },

    /** @param {() => void} listener */
    onNavigation: (listener) => void $(document).on(`page:changed${ns()}`, listener),

    /** @param {"phone" | "email"} type @param {(value: string) => void} action */
    addAction(type, action) {
      if (!widget.add_action) return;
      widget.add_action(type, (/** @type {any} */ event) => action(String((event && event.value) || "").trim()));
    },

    /**
     * POST with amoCRM's one-time token.
     * @param {string} url
     * @returns {Promise<{status: number, body: any}>} status 0 when nothing came back
     */
    authorized: (url) =>
      new Promise((resolve) => {
        if (!widget.$authorizedAjax) {
          resolve({ status: 0, body: null });
          return;
        }
        widget
          .$authorizedAjax({ url, method: "POST", dataType: "json", timeout: 15000 })
          .done((/** @type {any} */ body) => resolve({ status: 200, body }))
          .fail((/** @type {any} */ request) =>
            resolve({ status: (request && request.status) || 0, body: (request || {}).responseJSON }),
          );
      }),

    /** Into the notification centre, through all the channels that the person has. @param {object} notice */
    addCall(notice) {
      const { notifications } = app();
      if (notifications && notifications.add_call) notifications.add_call(notice);
    },

    /**
     * An error of background work; an error of a click belongs beside the click.
     * @param {{header: string, text: string}} error
     * @param {{done?: () => void, fail?: () => void, always?: () => void}} callbacks
     */
    addError(error, callbacks) {
      const { notifications } = app();
      if (notifications && notifications.add_error) notifications.add_error({ ...error, date: now() }, callbacks);
      else if (callbacks.fail) callbacks.fail();
    },

    /**
     * An error of what the person does right now, where our own panel is not in sight.
     * @param {{header: string, text: string}} error
     */
    showError(error) {
      const { notifications } = app();
      if (notifications && notifications.show_message_error) notifications.show_message_error(error);
    },

    /** While it is set, a new release of amoCRM does not reload the page. @param {boolean} isTalking */
    setCalling(isTalking) {
      const { sdk } = app();
      if (sdk && sdk.setCallingStatus) sdk.setCallingStatus(isTalking);
    },

    /**
     * A Twig template of ours with values put in; the template escapes them.
     * @param {string} name
     * @param {object} values
     * @returns {Promise<string>} empty when it could not be loaded
     */
    render: (name, values) =>
      new Promise((resolve) => {
        if (!widget.render) resolve("");
        const load = (/** @type {any} */ template) => resolve(template ? template.render(values) : "");
        widget.render({ href: `/templates/${name}.twig`, base_path: params().path, v: params().version, load });
      }),

    /** Another file of our archive, when it is needed. @param {string} name @returns {Promise<any>} */
    load: (name) =>
      new Promise((resolve, reject) =>
        window.require([`${params().path}/${name}.js?v=${params().version}`], resolve, reject),
      ),

    attachStyle: () => attachStyle(`${params().path || ""}/style.css?v=${params().version || ""}`, styleId(params())),

    isDark,

    /** @param {() => void} listener @returns {() => void} */
    onTheme(listener) {
      const watcher = new MutationObserver(listener);
      const what = { attributes: true, attributeFilter: ["class", "style", "data-theme"] };
      [document.documentElement, document.body].forEach((node) => watcher.observe(node, what));
      return () => watcher.disconnect();
    },

    /** What our panel keeps clear of: on a card the column of widgets to the right and the note box below, in pixels. */
    margins() {
      const isCard = Boolean(app().isCard && app().isCard());
      const column = isCard && document.getElementById("widgets_block");
      return { right: column ? column.getBoundingClientRect().width : 0, bottom: isCard ? NOTE_BOX_PX : 0 };
    },

    /** Takes away all that the widget hung on the page, except its own elements. */
    leave() {
      $(document).off(ns());
      const style = document.getElementById(styleId(params()));
      if (style) style.remove();
    },
  };
}

/**
 * What a click on a notice opens; nothing for a path that is no entity's.
 * @param {Link | null | undefined} link
 */
export function elementOf(link) {
  const entity = link ? link.path.split("/")[1] : "";
  const type = ELEMENT_TYPES[/** @type {keyof typeof ELEMENT_TYPES} */ (entity)];
  return link && link.id && type ? { id: link.id, type, name: link.name } : null;
}

const now = () => Math.floor(Date.now() / 1000);

/** @param {{widget_code?: string}} params */
const styleId = (params) => `kmt-style-${params.widget_code || ""}`;

/**
 * @param {string} href
 * @param {string} id
 */
function attachStyle(href, id) {
  if (document.getElementById(id)) return;
  document.head.appendChild(Object.assign(document.createElement("link"), { id, rel: "stylesheet", href }));
}

/** Says the page by its attribute, else by what it really paints, else the system by its preference. */
function isDark() {
  const [root, body] = [document.documentElement, document.body];
  const theme = root.dataset.theme || body.dataset.theme;
  if (theme) return theme === "dark";
  const [red, green, blue, alpha = "1"] = getComputedStyle(body).backgroundColor.match(/[\d.]+/g) || [];
  if (red && Number(alpha) > 0) return (Number(red) + Number(green) + Number(blue)) / 3 <= DARK;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/**
 * A `users` field arrives as an object or as its JSON text (published widgets meet both).
 * @param {unknown} value
 * @returns {Record<string, string>}
 */
function parsedMap(value) {
  if (typeof value !== "string") return /** @type {Record<string, string>} */ (value) || {};
  try {
    return JSON.parse(value) || {};
  } catch (error) {
    return {};
  }
}
