/**
 * The tabs of one agent as one: they hold the same state, one leads, one paints. Knows neither what the state is nor
 * what a command does.
 *
 * The leader owns the connection, the sound and the notices. The painter is the tab where the agent last did something;
 * every tab works out by itself which one that is, from what all of them tell about themselves.
 */

/**
 * @typedef {{tab: string, at: number, isVisible: boolean}} Tab
 * @typedef {object} TabsOptions
 * @property {BroadcastChannel} channel
 * @property {string} tab this tab's id
 * @property {(events: {onLead: () => void, onLose: () => void}) => {stop: () => void}} elect
 * @property {(tab: string, onGone: () => void) => void} watch calls back when that tab has died without a word
 * @property {() => number} nowMs
 * @property {() => boolean} isVisible
 * @property {(listener: (event: {type: string}) => void) => () => void} listen to what the agent does in this tab
 * @property {(isLeader: boolean) => void} onRole
 * @property {(state: any) => void} onState
 * @property {(command: any) => void} onCommand for the leader
 * @property {() => void} onPainter the painter or the visibility of some tab changed
 */

/** @param {TabsOptions} options */
export function createTabs({
  channel,
  tab,
  elect,
  watch,
  nowMs,
  isVisible,
  listen,
  onRole,
  onState,
  onCommand,
  onPainter,
}) {
  /** @type {Tab} */
  let me = { tab, at: isVisible() ? nowMs() : 0, isVisible: isVisible() };
  let announcedAt = 0;
  let isLeader = false;
  /** @type {any} */
  let shared = null;
  /** @type {Map<string, Tab>} */
  const others = new Map();
  /** Commands that no leader has taken yet: they outlive a leader who dies. @type {Map<string, any>} */
  const waiting = new Map();
  let serial = 0;

  const painter = () => [...others.values(), me].reduce((best, one) => (isBefore(best, one) ? one : best)).tab;

  /** @param {object} message */
  const post = (message) => channel.postMessage({ from: tab, ...message });

  function announce() {
    announcedAt = me.at;
    post({ kind: "here", me });
  }

  /** @type {Record<string, (message: any) => void>} */
  const TAKE = {
    here: ({ me: other }) => {
      if (isLeader && !others.has(other.tab)) watch(other.tab, () => gone(other.tab));
      others.set(other.tab, other);
      // The other did not know of our last click when it claimed the picture.
      if (other.at < me.at && announcedAt < me.at) announce();
      onPainter();
    },
    hello: () => {
      announce();
      if (isLeader && shared) post({ kind: "state", state: shared });
    },
    gone({ tab: other }) {
      // Said of us too early: the leader asked for our lock before the browser had given it to us.
      if (other === tab) announce();
      else forget(other);
    },
    lead: () => waiting.forEach((command, id) => post({ kind: "command", id, command })),
    state: ({ state }) => {
      if (isLeader) return;
      shared = state;
      onState(state);
    },
    command: ({ id, command }) => {
      if (!isLeader) return;
      post({ kind: "taken", id });
      onCommand(command);
    },
    taken: ({ id }) => void waiting.delete(id),
  };

  /** @param {string} other */
  function forget(other) {
    if (others.delete(other)) onPainter();
  }

  /** @param {string} other */
  function gone(other) {
    post({ kind: "gone", tab: other });
    forget(other);
  }

  /** @param {{type: string}} event */
  function noticed({ type }) {
    if (type === "pagehide") {
      post({ kind: "gone", tab });
      return;
    }
    const wasPainter = painter() === tab;
    const wasVisible = me.isVisible;
    me = { tab, isVisible: isVisible(), at: isVisible() ? nowMs() : me.at };
    if (wasPainter && wasVisible === me.isVisible && type !== "pageshow") return;
    announce();
    onPainter();
  }

  function lead() {
    isLeader = true;
    others.forEach((other) => watch(other.tab, () => gone(other.tab)));
    onRole(true);
    post({ kind: "lead" });
    const mine = [...waiting.values()];
    waiting.clear();
    mine.forEach(onCommand);
  }

  channel.onmessage = ({ data }) => {
    const take = TAKE[data.kind];
    if (take) take(data);
  };
  const unlisten = listen(noticed);
  const election = elect({
    onLead: lead,
    onLose() {
      isLeader = false;
      onRole(false);
    },
  });
  post({ kind: "hello" });
  announce();

  return {
    isLeader: () => isLeader,
    isPainter: () => painter() === tab,
    isAnyVisible: () => me.isVisible || [...others.values()].some((other) => other.isVisible),

    /** The leader's state, for all. @param {any} state */
    share(state) {
      shared = state;
      if (isLeader) post({ kind: "state", state });
    },

    /** To the leader, whoever it is or will be. @param {any} command */
    command(command) {
      if (isLeader) {
        onCommand(command);
        return;
      }
      const id = `${tab}.${++serial}`;
      waiting.set(id, command);
      post({ kind: "command", id, command });
    },

    close() {
      post({ kind: "gone", tab });
      unlisten();
      election.stop();
      channel.close();
    },
  };
}

/**
 * Visible tabs before hidden ones, then the latest; the id only makes all tabs decide alike.
 * @param {Tab} one
 * @param {Tab} other
 */
function isBefore(one, other) {
  if (one.isVisible !== other.isVisible) return other.isVisible;
  return one.at === other.at ? one.tab < other.tab : one.at < other.at;
}
