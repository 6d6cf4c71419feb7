import { ManualClock } from "../../provider/emulator";
import { RateLimit } from "../../provider/emulator/rate-limit";

test("lets a second's worth through at once, and then as many as time brings", () => {
  const clock = new ManualClock();
  const limit = new RateLimit(4, clock);
  const takeMany = (count: number) => Array.from({ length: count }, () => limit.take());

  expect(takeMany(6)).toEqual([0, 0, 0, 0, 1, 1]);
  clock.advance(500);
  expect(takeMany(3)).toEqual([0, 0, 1]);
  clock.advance(60_000);
  expect(takeMany(5)).toEqual([0, 0, 0, 0, 1]);
});

test("a clock that is set back takes nothing away", () => {
  let nowMs = 10_000;
  const limit = new RateLimit(1, { now: () => nowMs });
  expect(limit.take()).toBe(0);

  nowMs = 5_000;
  expect(limit.take()).toBe(1);
  nowMs = 6_000;
  expect(limit.take()).toBe(0);
});

test("without a limit everything passes", () => {
  const limit = new RateLimit(undefined, new ManualClock());

  expect(Array.from({ length: 1000 }, () => limit.take())).toEqual(new Array(1000).fill(0));
});
