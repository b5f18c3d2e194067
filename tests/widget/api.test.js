import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { createApi, problemOf } from "../../widget/src/api.js";

let nowS, sessions, answers, requests, api;

const SESSION = { ticket: "t1", bearer: "b1", expires_at: 1900, protocol: 1 };
const refusal = (slug, status = 409) => ({ status, body: { error: { slug } } });
const problem = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return problemOf(error);
  }
  return null;
};

beforeEach(() => {
  [nowS, sessions, answers, requests] = [1000, [], [], []];
  api = createApi({
    url: "https://calls.example",
    authorized: async (url) => {
      requests.push(url);
      return sessions.shift() || { status: 200, body: SESSION };
    },
    send: async (url, options) => {
      requests.push(`${options.method} ${url} ${options.headers.Authorization}`);
      const { status = 200, body = {}, error } = answers.shift() || {};
      if (error) throw error;
      return {
        ok: status < 300,
        status,
        json: async () => JSON.parse(typeof body === "string" ? body : JSON.stringify(body)),
      };
    },
    nowS: () => nowS,
  });
});

test("a request opens a session first and carries its bearer", async () => {
  await api.request("GET", "/api/settings");

  assert.deepEqual(requests, ["https://calls.example/api/session", "GET https://calls.example/api/settings Bearer b1"]);
});

test("a bearer that lives is used again", async () => {
  await api.request("GET", "/api/settings");
  await api.request("GET", "/api/settings");

  assert.equal(requests.length, 3);
});

test("a bearer that is over is not sent", async () => {
  await api.request("GET", "/api/settings");
  nowS = 1900;

  await api.request("GET", "/api/settings");

  assert.equal(requests.filter((one) => one.endsWith("/api/session")).length, 2);
});

test("a bearer that the server does not know any more is replaced, once", async () => {
  answers = [refusal("bearer-invalid", 401), refusal("bearer-invalid", 401)];

  assert.equal((await problem(api.request("GET", "/api/settings"))).slug, "bearer-invalid");
  assert.equal(requests.length, 4);
});

test("a token that was used before is asked for again, once", async () => {
  sessions = [refusal("token-replayed", 401)];
  assert.equal((await api.session()).ticket, "t1");

  sessions = [refusal("token-replayed", 401), refusal("token-replayed", 401)];
  assert.equal((await problem(api.session())).slug, "token-replayed");
});

test("a ticket comes by the bearer while that lives, and renews it", async () => {
  await api.session();
  answers = [{ body: { ...SESSION, ticket: "t2", bearer: "b2" } }];

  assert.equal((await api.ticket()).ticket, "t2");
  await api.request("GET", "/x");

  assert.equal(requests.at(-1), "GET https://calls.example/x Bearer b2");
});

test("a ticket needs a new session when the bearer is refused", async () => {
  await api.session();
  answers = [refusal("bearer-invalid", 401)];

  assert.equal((await api.ticket()).ticket, "t1");
});

test("the bearer is renewed after half of its life", async () => {
  await api.session();
  assert.equal(api.isHalfSpent(), false);

  nowS = 1451;

  assert.equal(api.isHalfSpent(), true);
});

test("the server's problem arrives as it is", async () => {
  answers = [{ status: 409, body: { error: { slug: "no-line", cure: "c", temporary: false, details: { a: "b" } } } }];

  assert.deepEqual(await problem(api.request("POST", "/api/dial", {})), {
    slug: "no-line",
    cure: "c",
    temporary: false,
    details: { a: "b" },
  });
});

test("no answer is a problem that may pass", async () => {
  answers = [{ error: new TypeError("Failed to fetch") }];

  assert.deepEqual(await problem(api.request("GET", "/x")), {
    slug: "unreachable",
    temporary: true,
    details: { status: "0" },
  });
});

test("a proxy's page is named with its status", async () => {
  answers = [{ status: 502, body: "<html>" }];

  assert.deepEqual(await problem(api.request("GET", "/x")), {
    slug: "unreadable",
    temporary: true,
    details: { status: "502" },
  });
});

test("half an answer is no answer", async () => {
  answers = [{ status: 200, body: '{"dial": {' }];

  assert.equal((await problem(api.request("GET", "/x"))).slug, "unreadable");
});
