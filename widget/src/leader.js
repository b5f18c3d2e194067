/**
 * Which tab leads. With Web Locks the browser itself decides and passes the lead on when the tab is gone, however it went.
 * Without them (a page that is not a secure context) a lease in localStorage does: it is given back on leaving, and a
 * leader who does not answer a question within a moment has lost it.
 */

/** A hidden leader answers from its message handler, which is not throttled like timers. */
const ANSWER_MS = 500;

/** Two tabs that take the lease in the same moment see in this time who wrote last. */
const SETTLE_MS = 60;

/** A leader that crashed gave nothing back. */
const LOOK_AGAIN_MS = 30000;

/**
 * @typedef {object} Election
 * @property {() => void} stop gives the lead back
 */

/**
 * @param {object} options
 * @param {LockManager} options.locks
 * @param {string} options.name
 * @param {() => void} options.onLead
 * @returns {Election}
 */
export function electByLock({ locks, name, onLead }) {
  const giveUp = new AbortController();
  let release = () => {};
  const held = () =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        release = resolve;
        onLead();
      })
    );
  // An aborted request rejects: that is how `stop` ends the waiting, not an error.
  locks.request(name, { signal: giveUp.signal }, held).catch(() => undefined);
  return {
    stop() {
      giveUp.abort();
      release();
    },
  };
}

/**
 * @param {object} options
 * @param {Storage} options.storage
 * @param {BroadcastChannel} options.channel its own, for questions about the lead
 * @param {string} options.name
 * @param {string} options.tab
 * @param {import("./clock.js").Clock} options.clock
 * @param {(type: "storage" | "pagehide", listener: (event: any) => void) => () => void} options.listen
 * @param {() => void} options.onLead
 * @param {() => void} options.onLose
 * @returns {Election}
 */
export function electByLease({ storage, channel, name, tab, clock, listen, onLead, onLose }) {
  let isLeading = false;
  let isAnswered = false;
  let cancel = () => {};

  function claim() {
    cancel();
    const owner = storage.getItem(name);
    if (isLeading) return;
    if (!owner || owner === tab) {
      take();
      return;
    }
    isAnswered = false;
    channel.postMessage({ question: tab });
    cancel = clock.after(ANSWER_MS, () => {
      if (!isAnswered && storage.getItem(name) === owner) take();
      else cancel = clock.after(LOOK_AGAIN_MS, claim);
    });
  }

  function take() {
    storage.setItem(name, tab);
    cancel = clock.after(SETTLE_MS, () => {
      if (storage.getItem(name) !== tab) {
        claim();
        return;
      }
      isLeading = true;
      onLead();
    });
  }

  function giveBack() {
    cancel();
    if (storage.getItem(name) === tab) storage.removeItem(name);
    isLeading = false;
  }

  channel.onmessage = ({ data }) => {
    // The one who is still settling answers as well, or it would be robbed by those who came in the same moment.
    if (data.question && storage.getItem(name) === tab) channel.postMessage({ answer: tab });
    if (data.answer) isAnswered = true;
  };
  const removers = [
    listen("storage", ({ key, newValue }) => {
      if (key !== name) return;
      if (!newValue) claim();
      else if (isLeading && newValue !== tab) {
        isLeading = false;
        onLose();
        claim();
      }
    }),
    listen("pagehide", giveBack),
  ];
  claim();

  return {
    stop() {
      giveBack();
      removers.forEach((remove) => remove());
      channel.close();
    },
  };
}
