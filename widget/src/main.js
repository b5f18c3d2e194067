/** The AMD face: amoCRM constructs this and calls the callbacks. */
import $ from "jquery";
import Modal from "lib/components/base/modal";

/**
 * @this {any}
 */
export default function TelephonyWidget() {
  const widget = this;
  let isStarted = false;

  widget.callbacks = {
    render: () => true,
    init() {
      isStarted = true;
      return true;
    },
    bind_actions: () => true,
    settings: () => true,
    onSave: () => true,
    destroy() {
      isStarted = false;
      $(document).off(widget.ns);
      return true;
    },
    contacts: { selected: () => isStarted },
    leads: { selected: () => isStarted },
    customers: { selected: () => isStarted },
  };
  widget.Modal = Modal;
  return widget;
}
