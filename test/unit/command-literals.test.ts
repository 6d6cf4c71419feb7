// No message of the commands is forgotten in the golden files: each piece of prose in their source occurs there.

import { goldenMessages } from "../support/golden-messages";
import { isProse, literalsIn, sourceFiles } from "../support/message-literals";

const folders = ["cli", "drift", "forge", "previews", "pulumi", "sweep"].map((folder) => `provider/${folder}`);
/** The emulator's other files hold what it answers on the wire, in AGB's words. */
const ofEmulator = [
  ...["emulator.ts", "options.ts", "server.ts", "start-error.ts", "state", "sessions/session-runtime.ts"],
  "sandbox/find-session-view.ts",
].map((path) => `provider/emulator/${path}`);

/** Strings that no user sees. */
const unseen = [
  "had ended",
  ": created by ",
  // What decodes standard input in a session, and names of ends of a command.
  "trap : TERM; base64 -d | ",
  ...["timed out", "no directory"],
  "pulumi-agb preview environment of ",
  "a marker is one line of plain characters without < and >, not ",
];

/** What the emulator answers on the wire, and messages to programs that pass it something else than the types allow. */
const ofPrograms = [
  ...["the emulator is closing", "the emulator is closed and no longer owns ", "must be a function"],
  ...["Request Header Fields Too Large", "Request Timeout", "Bad Request", "The request is not readable as HTTP: "],
];

/** Needs five starts at the same moment. */
const rare = [" is in use by another emulator. Stop that emulator, or choose another state file."];

const notShown = new Set([...unseen, ...ofPrograms, ...rare]);

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
  const missing = literals.filter(({ text }) => !golden.includes(oneLine(text)) && !notShown.has(text));
  expect(missing.map(({ file, text }) => `${file}: ${text}`)).toEqual([]);
});

test("each problem that a command reports ends with one code", () => {
  const subjects = ["arguments", "emulator", "forges", "previews", "stacks", "swept-sessions", "terminal"];
  const start = /^(?:(?:::error::)?pulumi-agb [a-z -]+|warning|left|failed): /;
  const problems = goldenMessages()
    .filter(({ subject }) => subjects.includes(subject))
    .flatMap(({ subject, message }) => (subject === "arguments" ? [message] : problemsIn(message, start)));

  expect(problems.length).toBeGreaterThan(100);
  const wrong = problems.filter((text) => text.split(/\[AGB\d{3}\]/).length !== 2 || !/\[AGB\d{3}\]$/.test(text));
  expect(wrong).toEqual([]);
});

/** The problems in what a command printed. A problem may have several lines; the one with a code is its last. */
function problemsIn(printed: string, start: RegExp): string[] {
  const problems: string[] = [];
  let isOpen = false;
  for (const line of printed.trim().split("\n")) {
    if (start.test(line)) {
      problems.push(line);
      isOpen = true;
    } else if (isOpen) {
      problems.push(`${problems.pop()}\n${line}`);
    }
    isOpen &&= !/\[AGB\d{3}\]$/.test(line);
  }
  return problems;
}
