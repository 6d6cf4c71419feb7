// No message of the commands is forgotten in the golden files: each piece of prose in their source occurs there.

import { messageCodes } from "../../provider/message-codes";
import { goldenMessages } from "../support/golden-messages";
import { isProse, literalsIn, sourceFiles } from "../support/message-literals";

const folders = ["cli", "drift", "forge", "previews", "pulumi", "sweep"].map((folder) => `provider/${folder}`);
/** The emulator's other files hold what it answers on the wire, in AGB's words. */
const ofEmulator = [
  ...["emulator.ts", "options.ts", "server.ts", "start-error.ts", "state", "sessions/session-runtime.ts"],
  "sandbox/find-session-view.ts",
].map((path) => `provider/emulator/${path}`);

/** Strings that no user sees, or sees only in rare failures that no test can bring about. */
const notShown: readonly RegExp[] = [
  // Commands and their environment.
  /^(stack|preview|pulumi|read|list|open|close|change|write|put) /,
];

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

test("each piece of prose in the source of the commands occurs in a golden file", () => {
  const golden = oneLine(
    goldenMessages()
      .map(({ situation, message }) => `${situation} ${message}`)
      .join(" "),
  );
  const literals = literalsIn(sourceFiles([...folders, ...ofEmulator])).filter(({ text }) => isProse(text));

  expect(literals.length).toBeGreaterThan(200);
  const missing = literals.filter(
    ({ text }) => !golden.includes(oneLine(text)) && !notShown.some((pattern) => pattern.test(text)),
  );
  expect(missing.map(({ file, text }) => `${file}: ${text}`)).toEqual([]);
});

test("each code from 600 on ends a message of a golden file", () => {
  const messages = goldenMessages().map(({ message }) => message);
  const codes = Object.keys(messageCodes).filter((code) => code >= "AGB600");

  expect(codes.length).toBeGreaterThan(40);
  expect(codes.filter((code) => !messages.some((text) => text.includes(`[${code}]`)))).toEqual([]);
});
