/** Requests to our backend: the session, the bearer, one shape of error. Knows no views and no socket. */

/** @typedef {import("./vocabulary.js").Problem} Problem */
/** @typedef {import("./vocabulary.js").SessionAnswer} SessionAnswer */

/** A request of a person waits this long. */
const TIMEOUT_MS = 15000;

/** An answer of the backend that says no, or no answer at all. */
export class Refusal extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.slug);
    this.problem = problem;
  }
}

/**
 * @param {unknown} error
 * @returns {Problem}
 */
export function problemOf(error) {
  return error instanceof Refusal ? error.problem : { slug: "error", message: String(error) };
}

/**
 * The problem in a body of ours; of a foreign body (a proxy's page) only the status tells something.
 * @param {any} body
 * @param {number} status 0 when nothing came back
 * @returns {Problem}
 */
export function readProblem(body, status) {
  if (body && body.error && body.error.slug) return body.error;
  return { slug: status ? "unreadable" : "unreachable", temporary: true, details: { status: String(status) } };
}

/**
 * @typedef {object} Api
 * @property {() => Promise<SessionAnswer>} session
 * @property {() => Promise<SessionAnswer>} ticket a fresh ticket, by the bearer while it lives, else by a new session
 * @property {(method: string, path: string, body?: object, timeoutMs?: number) => Promise<any>} request
 * @property {(answer: {bearer: string, expires_at: number}) => void} keep
 * @property {() => boolean} isHalfSpent whether it is time to renew the bearer
 */

/**
 * @param {object} options
 * @param {string} options.url the backend's address
 * @param {(url: string) => Promise<{status: number, body: any}>} options.authorized POST with amoCRM's one-time token
 * @param {typeof fetch} [options.send]
 * @param {() => number} [options.nowS]
 * @returns {Api}
 */
export function createApi({ url, authorized, send = (...args) => fetch(...args), nowS = () => Date.now() / 1000 }) {
  /**
   * In memory only: a bearer in storage would outlive the tab.
   * @type {{bearer: string, endsAt: number, halfAt: number} | null}
   */
  let pass = null;

  /** @type {Api["keep"]} */
  function keep({ bearer, expires_at: endsAt }) {
    pass = { bearer, endsAt, halfAt: (nowS() + endsAt) / 2 };
  }

  /** @param {boolean} [isSecondTry] */
  async function session(isSecondTry = false) {
    const { status, body } = await authorized(`${url}/api/session`);
    if (status === 200) {
      keep(body);
      return body;
    }
    const problem = readProblem(body, status);
    // amoCRM may hand out a token again that it gave before: asked once more, it makes a fresh one.
    if (problem.slug === "token-replayed" && !isSecondTry) return session(true);
    throw new Refusal(problem);
  }

  /** @type {Api["request"]} */
  async function ask(method, path, body, timeoutMs = TIMEOUT_MS) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeoutMs);
    try {
      const answer = await send(url + path, {
        method,
        headers: {
          Authorization: `Bearer ${pass ? pass.bearer : ""}`,
          ...(body ? { "Content-Type": "application/json" } : {}),
        },
        body: body ? JSON.stringify(body) : undefined,
        signal: stop.signal,
      });
      return await read(answer);
    } catch (error) {
      throw error instanceof Refusal ? error : new Refusal(readProblem(null, 0));
    } finally {
      clearTimeout(timer);
    }
  }

  /** @type {Api["request"]} */
  async function request(method, path, body, timeoutMs) {
    if (!pass || pass.endsAt <= nowS()) await session();
    try {
      return await ask(method, path, body, timeoutMs);
    } catch (error) {
      if (problemOf(error).slug !== "bearer-invalid") throw error;
      await session();
      return ask(method, path, body, timeoutMs);
    }
  }

  async function ticket() {
    if (!pass || pass.endsAt <= nowS()) return session();
    try {
      const answer = await ask("POST", "/api/ticket");
      keep(answer);
      return answer;
    } catch (error) {
      if (problemOf(error).slug !== "bearer-invalid") throw error;
      return session();
    }
  }

  return {
    session: () => session(),
    ticket,
    request,
    keep,
    isHalfSpent: () => Boolean(pass && nowS() > pass.halfAt),
  };
}

/** @param {Response} answer */
async function read(answer) {
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body === null) throw new Refusal(readProblem(body, answer.status));
  return body;
}
