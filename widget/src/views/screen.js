/** Turns the state into what the panel shows, and a click on a number into an order. */

import { isSame } from "../phone.js";
import { visibleAttempt, visibleCards, visibleLine } from "../screen.js";
import { randomId } from "../browser.js";
import { DialState, DialWay } from "../vocabulary.js";
import { asRequest, waysOf } from "../ways.js";
import { card, titleOf } from "./card.js";
import { dialLine } from "./dial.js";
import { h, icon, iconButton } from "./dom.js";
import { ALERT, CLOSE } from "./icons.js";
import { createPanel } from "./panel.js";
import { problemView, wordsOf } from "./problem.js";
import { nameOf } from "./who.js";

/** Two clicks on one number in this time are one wish. */
const DOUBLE_CLICK_S = 1.5;

/** A connection that comes back sooner is not worth a word. */
const OFFLINE_AFTER_S = 4;

/** More cards than these start small. */
const OPEN_CARDS = 2;

/**
 * @param {object} options
 * @param {import("../host.js").Host} options.host
 * @param {import("../text.js").Texts} options.t
 * @param {import("../clock.js").Clock} options.clock
 * @param {() => import("../state.js").State} options.getState
 * @param {(command: import("../app.js").Command) => void} options.act
 * @param {string} options.name the prefix of what is remembered
 */
export function createScreen({ host, t, clock, getState, act, name }) {
  const serverS = () => clock.nowS() + getState().aheadS;
  const panel = createPanel({ t, host, serverS, onTick: () => paint(isPainter) });
  const choice = createChoice(`${name}:way`);
  let isPainter = false;
  let isChoosing = false;
  /** Read and closed, in this tab; it comes back with the next page. */
  let isCrmHidden = false;
  let last = { phone: "", atS: 0 };
  const context = { t, act, go: host.navigate, serverS, choose, fromPhone: () => choice.get().from_phone || "" };

  /** @param {boolean} on */
  function choose(on) {
    isChoosing = on;
    paint(isPainter);
  }

  /** @param {boolean} isOurs whether this tab is the one to paint in */
  function paint(isOurs) {
    isPainter = isOurs;
    panel.paint(isOurs ? items() : []);
  }

  function items() {
    const state = getState();
    const cards = visibleCards(state, clock.nowS());
    const found = [...lineItems(state), ...cards.map((call, index) => cardItem(call, { state, index }))];
    if (state.isCrmClosed && !isCrmHidden) found.unshift(crmItem(Boolean(state.agent && state.agent.is_admin)));
    const isLost = state.lostAtS && clock.nowS() - state.lostAtS > OFFLINE_AFTER_S;
    return isLost && cards.length ? [stripItem("offline", t("panel.offline")), ...found] : found;
  }

  /** @param {import("../state.js").State} state */
  function lineItems(state) {
    const line = lineOf(state);
    const found = [];
    if (state.trouble) found.push(troubleItem(state.trouble));
    if (line) {
      const news = [t(`dial.${line.state}`), line.problem && wordsOf(line.problem, t).text].filter(Boolean).join(". ");
      found.push({
        key: "line",
        signature: JSON.stringify(line),
        draw: () => dialLine(line, context),
        news,
        isUrgent: Boolean(line.problem),
      });
    }
    return found;
  }

  /** @param {import("../state.js").State} state */
  function lineOf(state) {
    const ways = waysOf(state);
    const attempt = visibleAttempt(state, clock.nowS());
    if (attempt) {
      const { request, problem } = attempt;
      return {
        state: problem ? DialState.FAILED : DialState.ASKING,
        phone: request.phone,
        since: 0,
        problem,
        can: [],
        id: "",
        callId: "",
        ways,
        isChoosing,
      };
    }
    const dial = visibleLine(state, clock.nowS());
    if (!dial) return null;
    const { phone, problem = null, can = [], id, call_id: callId = "" } = dial;
    return { state: dial.state, phone, since: dial.changed_at, problem, can, id, callId, ways, isChoosing };
  }

  /**
   * @param {import("../vocabulary.js").CallView} call
   * @param {{state: import("../state.js").State, index: number}} place
   */
  function cardItem(call, { state, index }) {
    const isFolded = call.id in state.folded ? state.folded[call.id] : index >= OPEN_CARDS;
    const news = `${titleOf(call, t)}: ${nameOf(call.caller, t)}`;
    return {
      key: call.id,
      signature: JSON.stringify([call, isFolded]),
      draw: () => card(call, { isFolded }, context),
      news,
      isUrgent: call.state === "ringing",
    };
  }

  /** @param {import("../vocabulary.js").Problem} problem */
  function troubleItem(problem) {
    const close = iconButton(CLOSE, t("card.close"), () => act({ kind: "close-line" }), { "data-kmt": "close" });
    const draw = () =>
      h("div", { class: "kmt-card kmt-trouble", role: "group", "data-kmt": "trouble" }, problemView(problem, t), close);
    return { key: "trouble", signature: JSON.stringify(problem), draw, news: wordsOf(problem, t).text, isUrgent: true };
  }

  /** @param {boolean} isAdmin an administrator can mend it; the others need not worry */
  function crmItem(isAdmin) {
    const hide = () => {
      isCrmHidden = true;
      paint(isPainter);
    };
    const close = iconButton(CLOSE, t("card.close"), hide, { "data-kmt": "close" });
    const problem = { slug: isAdmin ? "crm-token-dead" : "crm-closed" };
    const draw = () =>
      h("div", { class: "kmt-card kmt-trouble", role: "group", "data-kmt": "crm" }, problemView(problem, t), close);
    return { key: "crm", signature: problem.slug, draw, news: wordsOf(problem, t).text, isUrgent: false };
  }

  return {
    paint,
    remove: panel.remove,

    /**
     * The order behind a click, or nothing when the click only repeats one.
     * @param {{phone: string, how?: object, keep?: boolean, replaces?: import("../dialer.js").Running | null}} click
     */
    order({ phone, how, keep, replaces = null }) {
      const nowS = clock.nowS();
      const isSoon = isSame(phone, last.phone) && nowS - last.atS < DOUBLE_CLICK_S;
      const isRepeat = !how && isSoon && !isRefused(getState());
      last = { phone, atS: nowS };
      if (isRepeat || !phone) return null;
      isChoosing = false;
      if (how) choice.set(how, Boolean(keep));
      const usual = choice.usual(waysOf(getState()));
      return { kind: "dial", replaces, request: { key: randomId(), phone, ...(how || usual) } };
    },
  };
}

/**
 * Whether the last click came to nothing: then the same number may be tried again at once.
 * @param {import("../state.js").State} state
 */
function isRefused({ attempt, dial }) {
  return Boolean(attempt ? attempt.problem : dial && dial.state === DialState.FAILED);
}

/** @param {string} key @param {string} text */
function stripItem(key, text) {
  return {
    key,
    signature: text,
    draw: () => h("div", { class: "kmt-strip", "data-kmt": key }, icon(ALERT), text),
    news: text,
    isUrgent: false,
  };
}

/**
 * The way this agent likes to call, remembered in this browser.
 * @param {string} key
 */
function createChoice(key) {
  const get = () => {
    try {
      return JSON.parse(localStorage.getItem(key) || "{}");
    } catch (error) {
      return {}; // Storage may be closed to us; then nothing is remembered.
    }
  };
  /** @param {any} how @param {boolean} isKept */
  function set(how, isKept) {
    const kept = isKept ? { how } : { how: get().how };
    try {
      localStorage.setItem(
        key,
        JSON.stringify({
          from_phone: get().from_phone,
          ...kept,
          ...(how.from_phone ? { from_phone: how.from_phone } : {}),
        }),
      );
    } catch (error) {
      return; // As above.
    }
  }
  return {
    get,
    set,
    /** The remembered way while the account still allows it. @param {import("../ways.js").Way[]} ways */
    usual(ways) {
      const { how } = get();
      const same = how && ways.find((way) => JSON.stringify(asRequest(way, how.from_phone)) === JSON.stringify(how));
      return same && (same.way !== DialWay.EXTERNAL || how.from_phone) ? how : {};
    },
  };
}
