/** Gives the tabs what a browser has: a channel, locks or a lease, and the events that show where the agent is. */

import { electByLease, electByLock } from "./leader.js";
import { createTabs } from "./tabs.js";

/** What tells that the agent is in this tab; the page's own handlers must not keep them from us. */
const SIGNS = ["pointerdown", "keydown", "focus", "pageshow", "pagehide"];

/**
 * @param {object} options
 * @param {string} options.name of the agent's tabs: account, user and widget are in it
 * @param {import("./clock.js").Clock} options.clock
 * @param {(isLeader: boolean) => void} options.onRole
 * @param {(state: any) => void} options.onState
 * @param {(command: any) => void} options.onCommand
 * @param {() => void} options.onPainter
 * @param {() => void} options.onTouch
 */
export function openTabs({ name, clock, onTouch, ...roles }) {
  const tab = randomId();
  const { locks } = navigator;

  return createTabs({
    ...roles,
    channel: new BroadcastChannel(name),
    tab,
    nowMs: Date.now,
    isVisible: () => document.visibilityState === "visible",
    listen(listener) {
      const heard = (/** @type {Event} */ event) => {
        listener(event);
        if (event.type === "pointerdown" || event.type === "keydown") onTouch();
      };
      const removers = SIGNS.map((sign) => on(window, sign, heard));
      removers.push(on(document, "visibilitychange", heard));
      return () => removers.forEach((remove) => remove());
    },
    elect({ onLead, onLose }) {
      if (!locks) {
        const channel = new BroadcastChannel(`${name}:lease`);
        return electByLease({
          storage: localStorage,
          channel,
          name: `${name}:lease`,
          tab,
          clock,
          onLead,
          onLose,
          listen: (type, listener) => on(window, type, listener),
        });
      }
      // Each tab holds a lock of its own: when it comes free, the tab is gone, even by a crash.
      const alive = electByLock({ locks, name: `${name}:tab:${tab}`, onLead() {} });
      const lead = electByLock({ locks, name: `${name}:lead`, onLead });
      return { stop: () => [lead, alive].forEach((held) => held.stop()) };
    },
    watch(other, onGone) {
      if (locks) locks.request(`${name}:tab:${other}`, onGone).catch(() => undefined);
    },
  });
}

/** Unguessable is not needed, only different; `crypto.randomUUID` is missing on insecure origins. */
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {EventTarget} target
 * @param {string} type
 * @param {(event: any) => void} listener
 */
function on(target, type, listener) {
  target.addEventListener(type, listener, true);
  return () => target.removeEventListener(type, listener, true);
}
