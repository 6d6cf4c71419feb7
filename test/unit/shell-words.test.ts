import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { toCommandLine } from "../../provider/cli/shell-words";
import { encodeStdin } from "../../provider/cli/stdin";

/** Strings that a program can get as an argument. */
const argument = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 20 }),
    fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "`", "\n", " ", "*", "!", "#", "-", "a"), maxLength: 12 }),
  )
  .map((text) => Buffer.from(text.replaceAll("\0", "")).toString());

test("the shell passes each argument on exactly as it was", () => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 6 }), (args) => {
      const line = toCommandLine(["printf", "%s\\0", ...args]);
      const printed = execFileSync("sh", ["-c", line]).toString();
      // Without arguments, printf prints its format once.
      expect(printed).toBe(args.length === 0 ? "\0" : args.map((arg) => `${arg}\0`).join(""));
    }),
    { numRuns: 150 },
  );
});

test("standard input reaches a program byte for byte", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const { text, decoder } = encodeStdin(Buffer.from(bytes));
      expect(text).not.toContain("\0");
      const received = execFileSync("sh", ["-c", `${decoder}cat`], { input: text });
      expect([...received]).toEqual([...bytes]);
    }),
    { numRuns: 100 },
  );
});

test("text is sent as it is", () => {
  expect(encodeStdin(Buffer.from("a\nü\n"))).toEqual({ text: "a\nü\n", decoder: "" });
});
