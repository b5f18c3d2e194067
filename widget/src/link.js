/**
 * The one connection to the backend: session → ticket → socket, and back again after every loss.
 *
 *     connecting ──snapshot──▶ online ──close, gap, silence──▶ offline ──jittered wait──▶ connecting
 *         │ three sockets die unheard                             ▲ farewell for ever, or a refusal that
 *         ▼                                                       ▼ waiting does not heal
 *      polling ──three minutes──▶ connecting                   stopped
 *
 * The server drives the heartbeat and it is answered in the message handler: hidden pages get no timers in time. No wait
 * here depends on a chain of timers either: each is set from a network event, which browsers throttle to a second at most.
 */

import { problemOf } from "./api.js";
import { CAP_MS, URGENT_CAP_MS, delayMs } from "./backoff.js";
import { createPoll } from "./poll.js";
import { follows } from "./state.js";
import { BrowserWord, Bye, PING_S, PROTOCOL, SUBPROTOCOL, ServerWord, TICKET_PREFIX } from "./vocabulary.js";

/** @typedef {import("./vocabulary.js").Problem} Problem */

/** Three pings missed: the socket is dead though nobody closed it. */
const SILENCE_MS = 3 * PING_S * 1000;

/** A proxy that swallows WebSocket keeps the handshake hanging. */
const OPENING_MS = 10000;

/** So many sockets in a row that died before their first message mean that WebSocket is blocked. */
const FALL_BACK_AFTER = 3;

/** A refused session is not asked for again sooner, even when the agent goes on working. */
const REFUSED_S = 60;

const TERMINAL_CODE = 4003;

/**
 * @typedef {object} LinkOptions
 * @property {import("./api.js").Api} api
 * @property {string} url the backend's address
 * @property {import("./clock.js").Clock} clock
 * @property {(url: string, protocols: string[]) => WebSocket} [open]
 * @property {() => number} [random]
 * @property {(message: {type: string}) => void} onMessage
 * @property {(connection: "connecting" | "online" | "offline" | "stopped", problem?: Problem) => void} onConnection
 * @property {() => boolean} isUrgent whether a live call waits for the connection
 */

/** @param {LinkOptions} options */
export function createLink(options) {
  const { api, url, clock, onMessage, onConnection, isUrgent } = options;
  const open = options.open || ((address, protocols) => new WebSocket(address, protocols));
  /** @type {WebSocket | null} */
  let socket = null;
  /** @type {import("./vocabulary.js").ByeMessage | null} */
  let farewell = null;
  /** @type {object[]} */
  let unsent = [];
  let [rev, attempt, unheard, stoppedAtS] = ["", 0, 0, 0];
  let [isClosed, isOnline, isConnecting] = [false, false, false];
  let cancelTimer = () => {};

  const poll = createPoll({ api, clock, onMessage: take, onRefused: refused, onEnough: connect });

  async function connect() {
    if (isConnecting) return;
    isConnecting = true;
    cancelTimer();
    onConnection("connecting");
    try {
      const answer = await api.ticket();
      if (isClosed) return;
      if (answer.protocol !== PROTOCOL) stop({ slug: "protocol-mismatch" });
      else openSocket(answer.ticket);
    } catch (error) {
      if (!isClosed) refused(problemOf(error));
    } finally {
      isConnecting = false;
    }
  }

  /** @param {string} ticket in the subprotocol, because addresses end up in logs */
  function openSocket(ticket) {
    const opened = open(`${url.replace(/^http/, "ws")}/api/socket`, [SUBPROTOCOL, TICKET_PREFIX + ticket]);
    [socket, farewell] = [opened, null];
    opened.onmessage = ({ data }) => heard(String(data));
    opened.onclose = ({ code }) => lost(code);
    expect(OPENING_MS);
  }

  /** @param {number} ms within which something must be heard */
  function expect(ms) {
    cancelTimer();
    cancelTimer = clock.after(ms, () => lost(0));
  }

  /** @param {string} data */
  function heard(data) {
    expect(SILENCE_MS);
    const message = parsed(data);
    const own = OWN[message.type];
    if (own) own(message);
    else take(message);
  }

  /** @type {Record<string, (message: any) => void>} */
  const OWN = {
    [ServerWord.PING]() {
      transmit({ type: BrowserWord.PONG });
      if (api.isHalfSpent()) transmit({ type: BrowserWord.RENEW });
    },
    [ServerWord.BEARER]: (message) => api.keep(message),
    [ServerWord.BYE]: (message) => void (farewell = message),
  };

  /** @param {any} message */
  function take(message) {
    const isSnapshot = message.type === ServerWord.SNAPSHOT;
    if (message.rev && !isSnapshot && !follows(rev, message.rev)) {
      lost(0);
      return;
    }
    rev = message.rev || rev;
    if (isSnapshot) [attempt, unheard, isOnline] = [0, socket ? 0 : unheard, true];
    if (isSnapshot) onConnection("online");
    onMessage(message);
    if (isSnapshot) unsent.splice(0).forEach(transmit);
  }

  /** @param {number} code the close code; 0 when we gave it up ourselves */
  function lost(code) {
    if (!socket) return;
    unheard = isOnline ? 0 : unheard + 1;
    dropSocket();
    const bye = farewell;
    if (code === TERMINAL_CODE || (bye && bye.kind === Bye.TERMINAL)) {
      stop((bye && bye.problem) || { slug: "error" });
    } else if (unheard >= FALL_BACK_AFTER) {
      poll.start();
    } else {
      onConnection("offline");
      retry(bye ? (bye.after_s || 0) * 1000 : 0);
    }
  }

  /** @param {Problem} problem why there was no ticket, or no answer to the poll */
  function refused(problem) {
    if (!problem.temporary) {
      stop(problem);
      return;
    }
    onConnection("offline", problem);
    retry(0);
  }

  /** @param {number} leastMs what the server asked for */
  function retry(leastMs) {
    cancelTimer();
    isOnline = false;
    const wait = delayMs(attempt++, { capMs: isUrgent() ? URGENT_CAP_MS : CAP_MS, random: options.random });
    cancelTimer = clock.after(leastMs + wait, () => (poll.isOn() ? poll.next() : connect()));
  }

  /** @param {Problem} problem */
  function stop(problem) {
    cancelTimer();
    poll.stop();
    stoppedAtS = clock.nowS();
    onConnection("stopped", problem);
  }

  function dropSocket() {
    cancelTimer();
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    [socket, isOnline] = [null, false];
  }

  /** @param {any} message */
  function transmit(message) {
    if (poll.isOn()) poll.send(message);
    else if (socket && socket.readyState === 1) socket.send(JSON.stringify(message));
    else unsent.push(message);
  }

  return {
    connect,

    /** Sends a message, or keeps it for the next connection. @param {{type: string, call_id?: string}} message */
    send: transmit,

    /** The network is back, or the agent works on: do not wait any longer. */
    hurry() {
      const mayAskAgain = stoppedAtS && !farewell && clock.nowS() - stoppedAtS > REFUSED_S;
      if (isClosed || isOnline || socket || (stoppedAtS && !mayAskAgain)) return;
      [attempt, stoppedAtS] = [0, 0];
      if (!poll.isOn()) connect();
    },

    close() {
      isClosed = true;
      dropSocket();
      poll.stop();
      cancelTimer();
    },
  };
}

/** A frame that is no JSON of ours is skipped, like a type that we do not know. @param {string} data */
function parsed(data) {
  try {
    return JSON.parse(data) || {};
  } catch (error) {
    return {};
  }
}
