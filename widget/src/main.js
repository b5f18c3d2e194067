/** The AMD face: amoCRM constructs this and calls the callbacks, in one of several orders. */

import $ from "jquery";
import { createApp } from "./app.js";
import { createHost } from "./host.js";

/**
 * @this {any}
 * @param {...unknown} _ what amoCRM hands to the constructor is not documented
 */
export default function TelephonyWidget(..._) {
  const host = createHost(this, $);
  /** @type {ReturnType<typeof createApp> | null} */
  let app = null;
  /** @type {Promise<ReturnType<typeof import("./settings.js").default>> | null} */
  let settings = null;
  const loadSettings = () => {
    settings =
      settings ||
      host
        .load("settings")
        .then((create) => create({ host, onMoved: (/** @type {string} */ url) => app && app.reconnect(url) }));
    return settings;
  };

  const hasSelected = { selected: () => true };
  this.callbacks = {
    // Called again on every page (init_once), so it does nothing.
    render: () => true,
    init() {
      host.attachStyle();
      if (!app) app = createApp(host, (state) => settings && settings.then((panel) => panel.news(state)));
      return true;
    },
    bind_actions: () => true,
    /** @param {JQuery} $body */
    settings($body) {
      host.attachStyle();
      loadSettings().then((panel) => panel.show($body));
      return true;
    },
    /** @param {{active: string, fields: Record<string, string>}} change */
    onSave: (change) => loadSettings().then((panel) => panel.save(change)),
    destroy() {
      if (app) app.stop();
      app = null;
      if (settings) settings.then((panel) => panel.remove());
      settings = null;
      host.leave();
      return true;
    },
    contacts: hasSelected,
    leads: hasSelected,
    customers: hasSelected,
  };
  return this;
}
