/**
 * The one way out for text from outside: what AGB, a proxy or a session's labels say passes through here before it
 * stands in an error, a log line or a command's output.
 */
import { hiderFor, type KnownSecret, longestEncoding } from "./known-secrets";

/** Longest piece of text from outside that is shown, in characters. The rest is left out and the piece says so. */
export const longestOutsideText = 1_000;

/** Makes text from outside ready to be shown: without the secrets of the call, harmless, and not too long. */
export type CleanText = (text: string, longest?: number) => string;

const shortenedMark = "… (shortened)";

/** How much of a text is searched for secrets at most, in characters. A reply may have megabytes. */
const longestWindow = 200_000;

const commandAnywhere = /##(?=\w*\[)/g;

/**
 * Shows text from outside on one line. Control characters, line breaks and invisible characters, such as those that
 * change the direction of writing, are shown as escapes. A CI system takes nothing in it for a command.
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

/** Like `printable`, but line feeds stay: for our own text in several lines that quotes text from outside. */
export function printableLines(text: string, longestLine = 10 * longestOutsideText): string {
  return text
    .split("\n")
    .map((line) => printable(line, longestLine))
    .join("\n");
}

/** Quotes a name from outside, such as the key of a label. */
export function quoted(name: string): string {
  return `"${printable(name.replaceAll(/["\\]/g, "\\$&"))}"`;
}

/**
 * A value as JSON that means the same and holds no control or invisible character. A CI system takes nothing in it for a
 * command.
 */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent)
    .replaceAll(commandAnywhere, "\\u0023#")
    .replaceAll(/[^\P{C}\n]|[\p{Zl}\p{Zp}\p{DI}\u2800]/gu, escapeOf);
}

/**
 * Makes the cleaner of a call. Only the beginning of a long text is looked at.
 *
 * @param secrets what the call knows and no text may repeat, see `hiderFor`
 */
export function cleanerFor(secrets: readonly KnownSecret[]): CleanText {
  const hide = hiderFor(secrets);
  const longestSecret = secrets.reduce((longest, { value }) => Math.max(longest, value.length), 0) * longestEncoding;
  return (text, longest = longestOutsideText) => {
    let shown = "";
    // Masks are often shorter than what they hide. Where the first part is not enough, a longer one is looked at.
    for (const factor of [2, 8]) {
      const window = Math.min(factor * longest + longestSecret, longestWindow);
      if (text.length <= window) {
        return printable(hide(text), longest);
      }
      // A secret that begins in what is shown ends before the window does, so the cut shows no half of one.
      shown = printable(hide(text.slice(0, window), Math.max(0, window - longestSecret)), longest);
      if (shown.endsWith(shortenedMark)) {
        return shown;
      }
    }
    return `${shown}${shortenedMark}`;
  };
}

/** GitHub takes a line for a command that begins with `::`, other systems one with `##[` or `##name[` anywhere. */
function withoutCommands(line: string): string {
  return line.replace(/^(\s*):(?=:)/, "$1: ").replaceAll(commandAnywhere, "## ");
}

function isInvisible(character: string): boolean {
  // The blank of Braille is visible to Unicode only.
  return /[\p{C}\p{Zl}\p{Zp}\p{DI}\u2800]/u.test(character);
}

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeOf(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return shortEscapes[character] ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
