import * as fc from "fast-check";
import {
  AgbApiError,
  AgbNetworkError,
  AgbNotFoundError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../../provider/api/errors";
import { certainlyHadNoEffect, isTransient, parseRetryAfterMs, retryDelayMs } from "../../provider/api/retry";

function refused(status: number, retryAfterMs?: number): AgbApiError {
  return new AgbApiError("getSession", { code: "", reason: "", status, requestId: "", isFromAgb: true, retryAfterMs });
}

const neverSent = new AgbNetworkError("getSession", "https://agb.example", false, "refused");
const broken = new AgbNetworkError("getSession", "https://agb.example", true, "reset");

test.each([408, 429, 500, 502, 503, 504, 599])("a call that failed with HTTP %i may succeed when retried", (status) => {
  expect(isTransient(refused(status))).toBe(true);
});

test.each([200, 400, 401, 403, 404, 409, 422])("a call that was refused with HTTP %i is not retried", (status) => {
  expect(isTransient(refused(status))).toBe(false);
});

test("a broken connection is retried; a time-out and an unexpected reply are not", () => {
  expect(isTransient(neverSent)).toBe(true);
  expect(isTransient(broken)).toBe(true);
  expect(isTransient(new AgbTimeoutError("getSession", 1_000))).toBe(false);
  expect(isTransient(new AgbUnexpectedReplyError("getSession", 200, "", "no JSON"))).toBe(false);
  expect(isTransient(new AgbNotFoundError("getSession", refused(400)))).toBe(false);
  expect(isTransient(new Error("other"))).toBe(false);
});

test("a time limit that fired late says so, and why", () => {
  expect(new AgbTimeoutError("getSession", 2_000, { waitedMs: 2_040 }).message).toBe(
    "AGB did not answer getSession within 2000 ms",
  );
  expect(new AgbTimeoutError("getSession", 2_000, { waitedMs: 21_000.4 }).message).toBe(
    "AGB did not answer getSession within 2000 ms (the wait took 21000 ms, because this process was busy)",
  );
});

test("only a missing connection, or a call that never started, proves that AGB did nothing", () => {
  expect(certainlyHadNoEffect(neverSent)).toBe(true);
  expect(certainlyHadNoEffect(broken)).toBe(false);
  expect(certainlyHadNoEffect(refused(503))).toBe(false);
  expect(certainlyHadNoEffect(new AgbTimeoutError("createSession", 1_000))).toBe(false);
  expect(certainlyHadNoEffect(new AgbTimeoutError("createSession", 0))).toBe(true);
  const unsent = { endpoint: "https://agb.example", step: "looking up agb.example" };
  expect(certainlyHadNoEffect(new AgbTimeoutError("createSession", 1_000, { unsent }))).toBe(true);
});

test("a TLS error is not retried, and proves that AGB did nothing", () => {
  const untrusted = new AgbNetworkError("createSession", "https://agb.example", false, "expired", { lasting: true });
  expect(isTransient(untrusted)).toBe(false);
  expect(certainlyHadNoEffect(untrusted)).toBe(true);
});

const attempts = fc.integer({ min: 1, max: 60 });
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("the delay is a whole number of milliseconds below a ceiling that doubles up to five seconds", () => {
  fc.assert(
    fc.property(attempts, randoms, (attempt, random) => {
      const delayMs = retryDelayMs(attempt, broken, random);
      expect(Number.isInteger(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(Math.min(5_000, 200 * 2 ** (attempt - 1)));
    }),
  );
});

test("the delay is never shorter than what AGB asked for", () => {
  fc.assert(
    fc.property(attempts, randoms, fc.integer({ min: 0, max: 3_600_000 }), (attempt, random, askedMs) => {
      expect(retryDelayMs(attempt, refused(429, askedMs), random)).toBeGreaterThanOrEqual(askedMs);
    }),
  );
});

test("the delay uses the whole range, so that many clients do not retry at the same time", () => {
  expect(retryDelayMs(3, broken, 0)).toBe(0);
  expect(retryDelayMs(3, broken, 0.5)).toBe(400);
  expect(retryDelayMs(3, broken, 0.999999)).toBe(800);
});

const now = Date.parse("2026-11-22T16:00:00Z");

test.each([
  ["0", 0],
  ["7", 7_000],
  [" 7 ", 7_000],
  ["Sun, 22 Nov 2026 16:00:30 GMT", 30_000],
  ["Sun, 22 Nov 2026 15:59:00 GMT", 0],
  ["later", undefined],
  ["", undefined],
  [undefined, undefined],
])("the header Retry-After %j means %s milliseconds", (header, expected) => {
  expect(parseRetryAfterMs(header, now)).toBe(expected);
});

test("whatever the header Retry-After holds, the delay is never negative and never not a number", () => {
  fc.assert(
    fc.property(fc.string(), (header) => {
      const delayMs = parseRetryAfterMs(header, now);
      expect(delayMs === undefined || delayMs >= 0).toBe(true);
    }),
  );
});
