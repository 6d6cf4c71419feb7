import fc from "fast-check";
import { cutOutput } from "../../provider/emulator/sandbox/cut-output";

const limitBytes = 50;
const cutLine = `\n[output cut after ${limitBytes} bytes]`;

test("an output within the limit is returned as it is", () => {
  expect(cutOutput(Buffer.from("ü\n"), 3, limitBytes)).toBe("ü\n");
});

test("an output of which only the start was kept is cut", () => {
  expect(cutOutput(Buffer.from("abc"), 1000, limitBytes)).toBe(`abc${cutLine}`);
});

test("no character is cut in two", () => {
  expect(cutOutput(Buffer.from(`a${"🙂".repeat(20)}`), 81, limitBytes)).toBe(`a${"🙂".repeat(12)}${cutLine}`);
});

test("any output is cut at the limit, and keeps as much as fits", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: "binary", maxLength: 100 }).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, (given) => {
      const whole = Buffer.from(given).toString("utf8");
      const told = cutOutput(Buffer.from(given), given.length, limitBytes);
      const size = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2;
      if (size(whole) <= limitBytes && given.length <= limitBytes) {
        expect(told).toBe(whole);
        return;
      }
      expect(told.endsWith(cutLine)).toBe(true);
      const kept = told.slice(0, -cutLine.length);
      expect(whole.startsWith(kept)).toBe(true);
      expect(size(kept)).toBeLessThanOrEqual(limitBytes);
      expect(kept === whole || size(kept) > limitBytes - 6).toBe(true);
    }),
  );
});
