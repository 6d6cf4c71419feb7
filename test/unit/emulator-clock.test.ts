import { ManualClock } from "../../provider/emulator";

test("stands still until it is moved", () => {
  const clock = new ManualClock(1_000);

  expect(clock.now()).toBe(1_000);
  clock.advance(0);
  clock.advance(500);
  expect(clock.now()).toBe(1_500);
});

test.each([-1, Number.NaN])("cannot be moved by %d", (ms) => {
  expect(() => new ManualClock().advance(ms)).toThrow(RangeError);
});
