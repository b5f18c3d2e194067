/** Fakes that the widget's tests share: a clock held by hand, a socket, channels and locks as browsers have them. */

/** Timers run when the test moves the clock. */
export class FakeClock {
  #nowMs = 1_700_000_000_000;
  #timers = [];

  nowS = () => this.#nowMs / 1000;
  nowMs = () => this.#nowMs;

  after = (ms, action) => {
    const timer = { at: this.#nowMs + ms, action };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((one) => one !== timer));
  };

  /** Waiting times of the timers that are set, shortest first. */
  get waits() {
    return this.#timers.map((timer) => timer.at - this.#nowMs).sort((one, other) => one - other);
  }

  async move(ms) {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).sort((one, other) => one.at - other.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#nowMs = next.at;
      next.action();
      await settled();
    }
    this.#nowMs = end;
  }
}

/** Lets everything that waits for a promise go on. */
export async function settled() {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

export class FakeSocket {
  readyState = 1;
  sent = [];
  isClosed = false;

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.isClosed = true;
    this.readyState = 3;
  }

  /** The server says something. */
  hear(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The connection ends from outside. */
  die(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

/** One browser: its tabs share channels, locks and storage. Messages arrive at once and never at their sender. */
export class FakeBrowser {
  #channels = new Set();
  #locks = new Map();
  #storageListeners = new Set();
  values = new Map();

  channel(name) {
    const peers = this.#channels;
    const channel = {
      name,
      onmessage: null,
      postMessage: (data) =>
        [...peers]
          .filter((one) => one !== channel && one.name === name)
          .forEach((one) => one.onmessage?.({ data: structuredClone(data) })),
      close: () => void peers.delete(channel),
    };
    peers.add(channel);
    return channel;
  }

  /** Web Locks, as far as the widget uses them: exclusive, queued, with a signal. */
  locks = {
    request: (name, optionsOrAction, maybeAction) => {
      const [options, action] = maybeAction ? [optionsOrAction, maybeAction] : [{}, optionsOrAction];
      return new Promise((resolve, reject) => {
        const entry = { action, resolve, options };
        options.signal?.addEventListener("abort", () => {
          const queue = this.#locks.get(name) || [];
          if (queue[0] === entry) return;
          this.#locks.set(
            name,
            queue.filter((one) => one !== entry),
          );
          reject(new Error("AbortError"));
        });
        const queue = [...(this.#locks.get(name) || []), entry];
        this.#locks.set(name, queue);
        if (queue.length === 1) this.#grant(name);
      });
    },
  };

  #grant(name) {
    const [entry] = this.#locks.get(name);
    Promise.resolve(entry.action()).then((value) => {
      entry.resolve(value);
      this.#locks.set(name, this.#locks.get(name).slice(1));
      if (this.#locks.get(name).length) this.#grant(name);
    });
  }

  /** A page's view of localStorage: its own changes make no event in it. */
  storage(onStorage) {
    const listener = { onStorage };
    this.#storageListeners.add(listener);
    const tell = (key, newValue) =>
      [...this.#storageListeners].filter((one) => one !== listener).forEach((one) => one.onStorage({ key, newValue }));
    return {
      getItem: (key) => this.values.get(key) ?? null,
      setItem: (key, value) => void (this.values.set(key, value), tell(key, value)),
      removeItem: (key) => void (this.values.delete(key), tell(key, null)),
    };
  }
}
