/**
 * The one way out for text from outside: what AGB, a proxy or a session's labels say passes through here before it
 * stands in an error, a log line or a command's output.
 */
import { hideSecrets, type KnownSecret, longestEncoding } from "./known-secrets";

/** Longest piece of text from outside that is shown, in characters. The rest is left out and the piece says so. */
export const longestOutsideText = 1_000;

/** Makes text from outside ready to be shown: without the secrets of the call, harmless, and not too long. */
export type CleanText = (text: string, longest?: number) => string;

const shortenedMark = "… (shortened)";

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

/** A value as JSON that holds no control or invisible character; it means the same. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, escapeOf);
}

/**
 * Makes the cleaner of a call.
 *
 * @param secrets what the call knows and no text may repeat, see `hideSecrets`
 */
export function cleanerFor(secrets: readonly KnownSecret[]): CleanText {
  const longestSecret = Math.max(0, ...secrets.map(({ value }) => value.length)) * longestEncoding;
  return (text, longest = longestOutsideText) => {
    // A reply may have megabytes. A secret that the cut goes through must not show its first half.
    const window = 16 * longest + longestSecret;
    if (text.length <= window) {
      return printable(hideSecrets(text, secrets), longest);
    }
    const head = hideSecrets(text.slice(0, window), secrets).slice(0, -longestSecret || undefined);
    const shown = printable(head, longest);
    return shown.endsWith(shortenedMark) ? shown : `${shown}${shortenedMark}`;
  };
}

/** GitHub takes a line for a command that begins with `::`, other systems one with `##[` or `##name[` anywhere. */
function withoutCommands(line: string): string {
  return line.replace(/^(\s*):(?=:)/, "$1: ").replaceAll(/##(?=\w*\[)/g, "## ");
}

function isInvisible(character: string): boolean {
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(character);
}

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeOf(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return shortEscapes[character] ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
