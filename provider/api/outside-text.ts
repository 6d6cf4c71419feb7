/**
 * Makes text from outside safe to print. Whatever AGB, a proxy or a session's labels say passes through here before it
 * appears in an error, a log line or a command's output.
 */
import { hiderFor, type KnownSecret, longestEncoding } from "./known-secrets";

/** How many characters of one text from outside are shown. A mark replaces the rest. */
export const longestOutsideText = 1_000;

/** Prepares text from outside for output: removes the call's secrets, escapes and shortens it. */
export type CleanText = (text: string, longest?: number) => string;

const shortenedMark = "… (shortened)";

/** How many characters of a text are searched for secrets at most. A reply may have megabytes. */
const longestWindow = 200_000;

const commandAnywhere = /##(?=\w*\[)/g;

/**
 * Shows text from outside on one line. Control characters, line breaks and invisible characters, such as those that
 * change the writing direction, become escapes. Nothing in the result is a command to a CI system.
 *
 * @param longest longest result, in characters
 */
export function printable(text: string, longest = longestOutsideText): string {
  let shown = "";
  for (const character of withoutCommands(text)) {
    const piece = isInvisible(character) ? escapeOf(character) : character;
    if (shown.length + piece.length > longest) {
      return `${shown}${shortenedMark}`;
    }
    shown += piece;
  }
  return shown;
}

/** Like `printable`, but keeps line feeds. For our own text in several lines that quotes text from outside. */
export function printableLines(text: string, longestLine = 10 * longestOutsideText): string {
  return text
    .split("\n")
    .map((line) => printable(line, longestLine))
    .join("\n");
}

/** Quotes a name from outside, such as a label's key. */
export function quoted(name: string): string {
  return `"${printable(name.replaceAll(/["\\]/g, "\\$&"))}"`;
}

/**
 * Encodes a value as JSON without control or invisible characters. Nothing in the result is a command to a CI system.
 */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent)
    .replaceAll(commandAnywhere, "\\u0023#")
    .replaceAll(/[^\P{C}\n]|[\p{Zl}\p{Zp}\p{DI}\u2800]/gu, escapeOf);
}

/**
 * Creates the cleaner of a call. It reads only the beginning of a long text.
 *
 * @param secrets the secrets that the call knows, see `hiderFor`
 */
export function cleanerFor(secrets: readonly KnownSecret[]): CleanText {
  const hide = hiderFor(secrets);
  const longestSecret = secrets.reduce((longest, { value }) => Math.max(longest, value.length), 0) * longestEncoding;
  return (text, longest = longestOutsideText) => {
    let shown = "";
    // Masks are often shorter than what they hide. If the first window does not fill the result, a longer one is used.
    for (const factor of [2, 8]) {
      const window = Math.min(factor * longest + longestSecret, longestWindow);
      if (text.length <= window) {
        return printable(hide(text), longest);
      }
      // A secret that begins in the shown part ends within the window, so the cut never shows half a secret.
      shown = printable(hide(text.slice(0, window), Math.max(0, window - longestSecret)), longest);
      if (shown.endsWith(shortenedMark)) {
        return shown;
      }
    }
    return `${shown}${shortenedMark}`;
  };
}

/** Breaks commands of CI systems. GitHub's begin a line with `::`; others have `##[` or `##name[` anywhere in it. */
function withoutCommands(line: string): string {
  return line.replace(/^(\s*):(?=:)/, "$1: ").replaceAll(commandAnywhere, "## ");
}

function isInvisible(character: string): boolean {
  // U+2800 is Braille's blank, which Unicode does not count as invisible.
  return /[\p{C}\p{Zl}\p{Zp}\p{DI}\u2800]/u.test(character);
}

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeOf(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return shortEscapes[character] ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
