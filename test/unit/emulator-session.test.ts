import fc from "fast-check";
import { releaseDueAtMs, type SessionRecord, stateAt } from "../../provider/emulator/sessions/session";

const record: SessionRecord = {
  sessionId: "session-a",
  sequence: 1,
  imageId: "agb-code-space-1",
  labels: {},
  appInstanceId: "ai-a",
  resourceId: "p-a",
  idleTimeoutSeconds: 300,
  maximumLifetimeSeconds: 1800,
  createdAtMs: 1_000,
  lastActivityAtMs: 1_000,
};

test("idle time ends a session, or its maximum lifetime if that comes first", () => {
  expect(releaseDueAtMs(record)).toBe(301_000);
  expect(releaseDueAtMs({ ...record, lastActivityAtMs: 501_000 })).toBe(801_000);
  expect(releaseDueAtMs({ ...record, lastActivityAtMs: 1_701_000 })).toBe(1_801_000);
  expect(releaseDueAtMs({ ...record, releasedAtMs: 2_000 })).toBe(2_000);
});

test("with no release delay a session is gone at the moment of its release", () => {
  expect(stateAt(record, 300_999, 0)).toBe("RUNNING");
  expect(stateAt(record, 301_000, 0)).toBeUndefined();
});

test("with time a session runs, is released, is gone, and never returns to an earlier state", () => {
  const rank = (nowMs: number, released: SessionRecord, delayMs: number) =>
    ["RUNNING", "DELETING", undefined].indexOf(stateAt(released, nowMs, delayMs));
  const milliseconds = fc.nat(3_000_000);
  fc.assert(
    fc.property(
      fc.record({
        lastActivityAtMs: milliseconds,
        idleTimeoutSeconds: fc.integer({ min: 1, max: 4_000 }),
        releasedAtMs: fc.option(milliseconds, { nil: undefined }),
      }),
      milliseconds,
      milliseconds,
      fc.nat(1_000),
      (change, oneMs, otherMs, delayMs) => {
        const changed = { ...record, ...change };
        expect(rank(Math.min(oneMs, otherMs), changed, delayMs)).toBeLessThanOrEqual(
          rank(Math.max(oneMs, otherMs), changed, delayMs),
        );
      },
    ),
  );
});
