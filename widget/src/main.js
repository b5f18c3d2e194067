/** The AMD face: amoCRM constructs this and calls the callbacks, in one of several orders. */

import $ from "jquery";
import { createApp } from "./app.js";
import { createHost } from "./host.js";
import { createSettings } from "./views/settings.js";

/**
 * @this {any}
 * @param {...unknown} _ what amoCRM hands to the constructor is not documented
 */
export default function TelephonyWidget(..._) {
  const host = createHost(this, $);
  /** @type {ReturnType<typeof createApp> | null} */
  let app = null;
  const settings = createSettings({ host, onMoved: () => app && app.reconnect() });

  const hasSelected = { selected: () => true };
  this.callbacks = {
    // Called again on every page (init_once), so it does nothing.
    render: () => true,
    init() {
      host.attachStyle();
      if (!app) app = createApp(host);
      return true;
    },
    bind_actions: () => true,
    /** @param {JQuery} $body */
    settings($body) {
      host.attachStyle();
      settings.show($body);
      return true;
    },
    /** @param {{active: string, fields: Record<string, string>}} change */
    onSave: (change) => settings.save(change),
    destroy() {
      if (app) app.stop();
      app = null;
      settings.remove();
      host.leave();
      return true;
    },
    contacts: hasSelected,
    leads: hasSelected,
    customers: hasSelected,
  };
  return this;
}
