/** What amoCRM's page gives to a widget, as far as the widget relies on it. */

declare module "lib/components/base/modal" {
  interface ModalOptions {
    class_name?: string;
    init?: (body: JQuery) => void;
    /** Returning false keeps the window open. */
    destroy?: () => boolean | void;
    disable_overlay_click?: boolean;
    disable_escape_keydown?: boolean;
  }
  export default class Modal {
    constructor(options: ModalOptions);
  }
}

/** The page's global object; `widget/src/host.js` is the only file that touches it. */
declare const APP: any;

interface Window {
  /** RequireJS of the page: loads another file of the archive. */
  require: (modules: string[], onLoad: (module: any) => void, onError: (error: unknown) => void) => void;
  APP: any;
  AMOCRM: any;
}
