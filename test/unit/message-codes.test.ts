import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type MessageCode, messageCodes } from "../../provider/messages/message-codes";
import { goldenMessages } from "../support/golden-messages";
import { isProse, literalsIn, sourceFiles } from "../support/message-literals";
import { repositoryRoot } from "../support/node-process";

// The table of codes, their page, the source that uses them and the golden messages hold together.

const codes = Object.keys(messageCodes) as MessageCode[];

/** Where the messages with codes come from. */
const messageSources = [
  "provider/api",
  "provider/lifecycle",
  "provider/kinds",
  "provider/resources",
  "provider/hosts",
  "provider/messages/call-failure-code.ts",
  "provider/config.ts",
  "provider/messages/problem.ts",
  "provider/dynamic.ts",
  "provider/plugin",
];

const page = readFileSync(join(repositoryRoot, "docs", "troubleshooting.md"), "utf8");
const headings = [...page.matchAll(/^### (AGB\d{3}): (.+)$/gm)].map(([, code = "", title = ""]) => ({ code, title }));

test("the page has an entry for each code, with its title, in the order of the table, and no other entry", () => {
  expect(headings).toEqual(codes.map((code) => ({ code, title: messageCodes[code] })));
});

test("each entry shows a message, and says what it means and what to do", () => {
  const entries = page.split(/^### (?=AGB\d{3}: )/m).slice(1);
  const incomplete = entries.filter((entry) => {
    const [heading = "", ...paragraphs] = (entry.split(/^## /m)[0] ?? "").trim().split(/\n\n+/);
    return heading === "" || !paragraphs.some((text) => text.startsWith("> ")) || paragraphs.length < 2;
  });
  expect(incomplete.map((entry) => entry.slice(0, 6))).toEqual([]);
});

test("the words that an entry quotes are those of its messages", () => {
  const entries = page.split(/^### (?=AGB\d{3}: )/m).slice(1);
  const unsaid = entries.flatMap((entry) => {
    const code = entry.slice(0, 6);
    const said = goldenMessages()
      .filter(({ message }) => message.includes(code))
      .map(({ message }) => message.replaceAll(/\s+/g, " "))
      .join(" ");
    const quotes = entry.match(/^> .*(\n> .*)*/gm) ?? [];
    // Pairs of words, without what stands for a value, such as a file's name.
    const pairs = quotes.flatMap((quote) =>
      [...quote.replaceAll(/\s*\n> /g, " ").matchAll(/(?<![\w.-])(?=([A-Za-z]{2,} [a-z]{2,})(?![\w-]|\.\w))/g)].map(
        ([, pair = ""]) => pair,
      ),
    );
    return pairs.filter((pair) => !said.includes(pair)).map((pair) => `${code}: ${pair}`);
  });
  expect(unsaid).toEqual([]);
});

test("each code is used by the source", () => {
  const files = sourceFiles(["provider"]).filter((file) => file !== join("provider", "messages", "message-codes.ts"));
  const used = new Set(literalsIn(files).map(({ text }) => text));
  expect(codes.filter((code) => !used.has(code))).toEqual([]);
});

test("the source and the page name no code that the table lacks", () => {
  const files = sourceFiles(["provider"]);
  const named = [page, ...files.map((file) => readFileSync(join(repositoryRoot, file), "utf8"))].flatMap(
    (text) => text.match(/AGB\d{3}/g) ?? [],
  );
  expect(named.filter((code) => !codes.includes(code as MessageCode))).toEqual([]);
});

test("each code ends a golden message", () => {
  const shown = goldenMessages().flatMap(({ message }) => message.match(/(?<=\[)AGB\d{3}(?=\]$)/gm) ?? []);
  expect(codes.filter((code) => !shown.includes(code))).toEqual([]);
});

/** Help, reports and output of the commands. `command-literals.test.ts` has the rules for them. */
const commandSubjects = [
  "arguments",
  "emulator",
  "forges",
  "help",
  "previews",
  "reports",
  "stacks",
  "swept-sessions",
  "terminal",
];

/** Messages that only inform: nothing is wrong, so there is nothing to look up. */
const information = [
  ...[/^this stack had the id /, / answers again, after /],
  ...[/ of output are not shown\)$/, /^agb: build: the output is hidden, /, /^\[only the end of /],
];

test("each golden message ends with its code, and has it once", () => {
  const ofProvider = goldenMessages().filter(({ subject }) => !commandSubjects.includes(subject));
  const wrong = ofProvider.flatMap(({ subject, situation, message }) =>
    // A message may quote the end of a command's output: lines after a colon that begin with two blanks.
    message
      .replaceAll(/:\n(?: {2}.*\n)+/g, ": ")
      .split("\n")
      .filter((line) => !information.some((known) => known.test(line)))
      .filter((line) => !/^[^[]*(\[(?!AGB\d)[^[]*)*\[AGB\d{3}\]$/.test(line))
      .map((line) => `${subject}: ${situation}: ${line}`),
  );
  expect(wrong).toEqual([]);
});

/** Strings that no user sees. */
const unseen = new Set([
  ...["rotated key", "other service", "other emulator", "not empty"],
  ...["timed out", "no directory", "not started"],
  // What Node says of a closed connection.
  "socket hang up",
  // The label is set by the caller; zod types that no kind has.
  ...["the label ", "of type "],
  // What replaces the key wherever AGB repeats it.
  "[API key]",
]);

/** Steps and ends of a connection, which tests of `api/` show. A golden file would need a slow or broken network. */
const shownByConnectionTests = new Set([
  ...["waiting until one of ", " connections is free", "waiting for ", " to open a tunnel to "],
  ...["looking up ", "negotiating TLS with ", "it took longer than ", " ms. Last step: "],
  ...["the client was closed", "the connection was closed", "it was closed before the request was sent"],
  ...[". The connection went through ", "it is larger than ", ". Check the variable"],
]);

test("each sentence of the source is in a golden message", () => {
  const shown = goldenMessages()
    .map(({ message }) => message)
    .join("\n");
  // Scripts for a session's shell are no messages, and the schema is made when the plugin is built.
  const silent = /-scripts\.ts$|[\\/]hosts[\\/]plugin[\\/]schema\.ts$/;
  const missing = literalsIn(sourceFiles(messageSources).filter((file) => !silent.test(file)))
    .filter(
      ({ text }) => isProse(text) && !unseen.has(text) && !shownByConnectionTests.has(text) && !shown.includes(text),
    )
    .map(({ file, text }) => `${file}: ${text}`);
  expect(missing).toEqual([]);
});
