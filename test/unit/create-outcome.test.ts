import {
  AgbApiError,
  AgbAuthenticationError,
  AgbNetworkError,
  AgbNotFoundError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../../provider/api/errors";
import {
  isTemporaryFailure,
  isWorthRetrying,
  mayHaveHadEffect,
  mayStillHaveEffect,
} from "../../provider/lifecycle/create-outcome";

function refusal(status: number, more: { isFromAgb?: boolean; sessionId?: string } = {}) {
  return { code: "", reason: "no", status, requestId: "R-1", isFromAgb: true, ...more };
}
const api = (status: number, more = {}) => new AgbApiError("createSession", refusal(status, more));
const auth = (status: number, more = {}) => new AgbAuthenticationError("createSession", refusal(status, more));
const network = (sent: boolean, lasting = false) =>
  new AgbNetworkError("createSession", "https://agb.example.com", sent, "reset", { lasting });
const timeout = (ms: number) => new AgbTimeoutError("createSession", ms);
const unexpected = new AgbUnexpectedReplyError("createSession", 200, "", "no JSON");
const byProxy = { isFromAgb: false };
const named = { sessionId: "session-9" };

test.each<[string, unknown, { made: boolean; later: boolean; again: boolean }]>([
  ["AGB's refusal with HTTP 200", api(200), { made: false, later: false, again: false }],
  ["AGB's refusal with HTTP 400", api(400), { made: false, later: false, again: false }],
  ["AGB's refusal with HTTP 409", api(409), { made: false, later: false, again: false }],
  ["AGB's refusal with HTTP 429", api(429), { made: false, later: false, again: true }],
  ["AGB's HTTP 408", api(408), { made: true, later: false, again: true }],
  ["AGB's HTTP 500", api(500), { made: true, later: false, again: true }],
  ["AGB's HTTP 503", api(503), { made: true, later: false, again: true }],
  ["HTTP 502 of a gateway", api(502, byProxy), { made: true, later: false, again: true }],
  ["HTTP 504 of a gateway", api(504, byProxy), { made: true, later: true, again: true }],
  ["HTTP 404 of a proxy", api(404, byProxy), { made: true, later: false, again: false }],
  ["HTTP 429 of a proxy", api(429, byProxy), { made: true, later: false, again: true }],
  ["a refusal that names a session", api(200, named), { made: true, later: false, again: false }],
  ["HTTP 500 that names a session", api(500, named), { made: true, later: false, again: false }],
  ["a refused key", auth(401), { made: false, later: false, again: false }],
  ["a key that a gateway refused", auth(403, byProxy), { made: false, later: false, again: false }],
  ["HTTP 503 with a code for a refused key", auth(503), { made: true, later: false, again: true }],
  ["a refused key beside the name of a session", auth(200, named), { made: true, later: false, again: false }],
  ["no connection", network(false), { made: false, later: false, again: false }],
  ["a certificate that is not trusted", network(false, true), { made: false, later: false, again: false }],
  ["a connection that broke after sending", network(true), { made: true, later: false, again: true }],
  ["no reply in time", timeout(60_000), { made: true, later: true, again: false }],
  ["a call that never began", timeout(0), { made: false, later: true, again: false }],
  ["a reply that is not AGB's", unexpected, { made: true, later: false, again: true }],
  ["an error that nobody expected", new TypeError("x"), { made: true, later: false, again: false }],
])("the outcome after %s", (_, failure, { made, later, again }) => {
  expect(mayHaveHadEffect(failure)).toBe(made);
  expect(made && mayStillHaveEffect(failure)).toBe(made && later);
  expect(isWorthRetrying(failure)).toBe(again);
});

test.each<[string, unknown, boolean]>([
  ["HTTP 503", api(503), true],
  ["HTTP 429", api(429), true],
  ["a broken connection", network(true), true],
  ["no connection", network(false), true],
  ["no reply in time", timeout(5_000), true],
  ["a reply that is not AGB's", unexpected, true],
  ["a certificate that is not trusted", network(false, true), false],
  ["a refused key", auth(401), false],
  ["AGB's refusal", api(400), false],
  ["a page of a proxy that knows no such path", api(404, byProxy), false],
  ["a session that is gone", new AgbNotFoundError("GetLabel", refusal(400)), false],
])("a look that fails with %s may or may not succeed later", (_, failure, passes) => {
  expect(isTemporaryFailure(failure)).toBe(passes);
});
