import { ManualClock } from "../../provider/emulator";
import { RateLimit } from "../../provider/emulator/rate-limit";

test("allows the requests of one second in a burst, and then as many as time allows", () => {
  const clock = new ManualClock();
  const limit = new RateLimit(4, clock);
  const takeMany = (count: number) => Array.from({ length: count }, () => limit.take());

  expect(takeMany(6)).toEqual([0, 0, 0, 0, 1, 1]);
  clock.advance(500);
  expect(takeMany(3)).toEqual([0, 0, 1]);
  clock.advance(60_000);
  expect(takeMany(5)).toEqual([0, 0, 0, 0, 1]);
});

test("a clock that is set back reduces nothing", () => {
  let nowMs = 10_000;
  const limit = new RateLimit(1, { now: () => nowMs });
  expect(limit.take()).toBe(0);

  nowMs = 5_000;
  expect(limit.take()).toBe(1);
  nowMs = 6_000;
  expect(limit.take()).toBe(0);
});

test("without a limit every request is allowed", () => {
  const limit = new RateLimit(undefined, new ManualClock());

  expect(Array.from({ length: 1000 }, () => limit.take())).toEqual(new Array(1000).fill(0));
});
