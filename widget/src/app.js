/** The widget at work: wires the connection, the tabs, the state and the views. Every command passes the leading tab. */

import { createApi } from "./api.js";
import { realClock } from "./clock.js";
import { createDialer } from "./dialer.js";
import { createLink } from "./link.js";
import { claimable, ringing } from "./screen.js";
import { normalised } from "./server_check.js";
import { createSound } from "./sound.js";
import { Local, initial, isLive, reduce } from "./state.js";
import { openTabs } from "./browser.js";
import { createTexts } from "./text.js";
import { BrowserWord, CardState, ServerWord } from "./vocabulary.js";
import { createDesktopNotices, noticeCall, noticeProblem } from "./views/notices.js";
import { createScreen } from "./views/screen.js";

/** @typedef {import("./state.js").State} State */

/**
 * What a person may ask for, in any tab.
 * @typedef {{kind: "dial", phone: string, how?: object, keep?: boolean, replaces?: import("./dialer.js").Running | null}
 *   | {kind: "cancel", id: string} | {kind: "hangup", call_id: string} | {kind: "dismiss", call_id: string}
 *   | {kind: "fold", call_id: string, on: boolean} | {kind: "close-line"}} Command
 */

/**
 * @param {import("./host.js").Host} host
 * @param {(state: State) => void} onNews told of every state, for whoever else shows a part of it
 */
export function createApp(host, onNews) {
  const name = `kmt:${host.account()}:${host.user()}:${host.code()}`;
  const t = createTexts(host.texts, host.lang);
  const clock = realClock;
  const sound = createSound();
  const desktop = createDesktopNotices({ t, onClick: () => window.focus() });
  let state = initial();
  let address = host.backendUrl();
  let isTalking = false;
  let hasEmailAction = false;
  /** @type {import("./api.js").Api | null} */
  let api = null;
  /** @type {ReturnType<typeof createLink> | null} */
  let link = null;
  /** Asked on this connection; a lost answer is asked for again on the next. @type {Set<string>} */
  const claimed = new Set();
  /** @type {Set<string>} */
  const told = new Set();

  const screen = createScreen({ host, t, clock, getState: () => state, act, name });
  const dialer = createDialer({ getApi: () => api, apply, getState: () => state });
  const tabs = openTabs({
    name,
    clock,
    onRole,
    onState: follow,
    onCommand: perform,
    onPainter: show,
    onTouch: sound.wake,
  });

  /** @param {{type: string}} message */
  function apply(message) {
    state = { ...reduce(state, message, clock.nowS()), isLeaderMute: isUntouched() };
    tabs.share(state);
    show();
    if (tabs.isLeader()) lead();
  }

  /** @param {State} leaders */
  function follow(leaders) {
    state = leaders;
    show();
  }

  function show() {
    screen.paint(tabs.isPainter());
    onNews(state);
    const talks = state.calls.some((call) => call.state === CardState.TALKING || call.state === CardState.HELD);
    if (talks !== isTalking) host.setCalling(talks);
    isTalking = talks;
    if (state.emailAction && !hasEmailAction) offerLetters();
    // A page that nobody has touched may not make a sound: then the tab that the agent works in rings for the leader.
    const isRinger = state.isLeaderMute ? tabs.isPainter() : tabs.isLeader();
    sound.set(isRinger && state.showCards && ringing(state).length > 0);
    if (tabs.isLeader()) desktop.set(tabs.isAnyVisible() || !state.showCards ? [] : ringing(state));
  }

  /** The notices are claimed by one tab only. */
  function lead() {
    if (!state.showCards || state.connection !== "online") return;
    claimable(state)
      .filter((call) => !claimed.has(call.id))
      .forEach((call) => {
        claimed.add(call.id);
        if (link) link.send({ type: BrowserWord.NOTICE, call_id: call.id });
      });
  }

  /** @param {any} message */
  function receive(message) {
    apply(message);
    if (message.type !== ServerWord.NOTICED || !message.is_yours) return;
    const call = state.calls.find((one) => one.id === message.call_id);
    if (call) noticeCall(call, { host, t });
  }

  /** @param {boolean} isLeader */
  function onRole(isLeader) {
    if (link) link.close();
    link = null;
    if (isLeader) connect();
  }

  function connect() {
    const url = normalised(address);
    api = url ? createApi({ url, authorized: host.authorized }) : null;
    if (!api) {
      apply(connection("stopped"));
      return;
    }
    link = createLink({
      api,
      url,
      clock,
      onMessage: receive,
      onConnection,
      isUrgent: () => state.calls.some(isLive),
    });
    link.connect();
    dialer.resume();
  }

  /** @type {import("./link.js").LinkOptions["onConnection"]} */
  function onConnection(word, problem) {
    if (word !== "online") claimed.clear();
    apply(connection(word));
    // Nobody clicked and waiting will not help: said once, where amoCRM keeps errors.
    if (word !== "stopped" || !problem || told.has(problem.slug)) return;
    told.add(problem.slug);
    noticeProblem(problem, { host, t, onLost: () => told.delete(problem.slug) });
  }

  /** @type {Record<string, (command: any) => void>} */
  const PERFORM = {
    dial: dialer.dial,
    cancel: dialer.cancel,
    hangup: dialer.hangUp,
    dismiss({ call_id: id }) {
      apply(/** @type {any} */ ({ type: Local.DISMISSED, call_id: id }));
      if (link) link.send({ type: BrowserWord.DISMISS, call_id: id });
    },
    fold: ({ call_id: id, on }) => apply(/** @type {any} */ ({ type: Local.FOLDED, call_id: id, on })),
    "close-line": () => apply({ type: Local.CLOSED }),
  };

  /** @param {any} command */
  function perform(command) {
    PERFORM[command.kind](command);
  }

  /** @param {Command} command */
  function act(command) {
    const order = command.kind === "dial" ? screen.order(command) : command;
    if (order) tabs.command(order);
    if (link) link.hurry();
  }

  function offerLetters() {
    hasEmailAction = true;
    host.addAction("email", (address) => {
      if (state.emailAction && address) host.navigate(`/mail/?to=${encodeURIComponent(address)}`);
    });
  }

  const hurry = () => link && link.hurry();
  window.addEventListener("online", hurry);
  const stopTheme = host.onTheme(show);
  host.onNavigation(() => {
    show();
    hurry();
  });
  host.addAction("phone", (phone) => act({ kind: "dial", phone }));

  return {
    t,
    act,

    /**
     * The address of the backend changed in the settings; amoCRM puts it into the widget's own only later.
     * @param {string} url
     */
    reconnect(url) {
      address = url;
      if (tabs.isLeader()) onRole(true);
    },

    stop() {
      window.removeEventListener("online", hurry);
      stopTheme();
      if (link) link.close();
      link = null;
      desktop.set([]);
      host.setCalling(false);
      sound.close();
      tabs.close();
      screen.remove();
    },
  };
}

/** Browsers that do not say so are asked to play anyway. */
const isUntouched = () => Boolean(navigator.userActivation && !navigator.userActivation.hasBeenActive);

/** @param {State["connection"]} word */
const connection = (word) => /** @type {any} */ ({ type: Local.CONNECTION, connection: word });
