// Markdown that reads the same on GitHub and in the built site: lines of at most 120 columns, lists instead of wide tables.

const width = 120;

// A line that begins with such a word would start a list, a heading or a quotation.
const startsBlock = /^([-+*]|#+|\d+[.)])$|^>/;

/** Breaks a text into lines. Spans of code stay in one piece. */
export function wrap(text: string, indent = ""): string {
  const words = text.trim().match(/(?:`[^`]*`|[^\s`])+/g) ?? [];
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== undefined && `${indent}${line} ${word}`.length <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else if (line !== undefined && startsBlock.test(word)) {
      // Its neighbour comes along, so that the new line begins with that.
      const [, rest = "", neighbour = ""] = /^(.*) (\S+)$/.exec(line) ?? [];
      lines.splice(-1, 1, rest, `${neighbour} ${word}`);
    } else {
      lines.push(word);
    }
  }
  return lines.join(`\n${indent}`);
}

/** Wraps each paragraph of a text. */
export function paragraphs(text: string): string {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => wrap(paragraph))
    .join("\n\n");
}

/** An entry of a list, with the entries below it. */
export interface Entry {
  readonly text: string;
  readonly entries?: readonly Entry[];
}

/** A list with a dash before each entry. */
export function list(entries: readonly (string | Entry)[], indent = ""): string {
  const inner = `${indent}  `;
  return entries
    .map((entry) => (typeof entry === "string" ? { text: entry } : entry))
    .flatMap(({ text, entries: below = [] }) => [
      `${indent}- ${wrap(text, inner)}`,
      ...(below.length > 0 ? [list(below, inner)] : []),
    ])
    .join("\n");
}

/** A block of code. */
export function codeBlock(language: string, code: string): string {
  return `\`\`\`${language}\n${code.trim()}\n\`\`\``;
}

/** Parts of a page with an empty line between them. Empty parts are left out. */
export function join(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join("\n\n");
}

/**
 * The anchor of a heading, the same on GitHub and in the built site.
 *
 * @throws Error when the two would differ, because the heading has other characters than words, code, spaces and colons
 */
export function anchor(heading: string): string {
  const plain = heading.replaceAll("`", "").toLowerCase();
  if (!/^[a-z][a-z0-9]*(?:(?:-|:? )[a-z0-9]+)*$/.test(plain)) {
    throw new Error(`The anchors of the heading "${heading}" differ between GitHub and the built site. Simplify it.`);
  }
  return plain.replaceAll(":", "").replaceAll(" ", "-");
}

/** A heading whose anchor is the same on GitHub and in the built site. */
export function heading(level: number, text: string): string {
  anchor(text);
  return `${"#".repeat(level)} ${text}`;
}

/** A sentence from a phrase: with a capital letter and a period. */
export function sentence(phrase: string): string {
  const text = phrase.trim();
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?:]$/.test(text) ? "" : "."}`;
}

/** A default as a reader sees it: values in code, words as they are. */
export function defaultWords(text: string): string {
  return /^(-?\d+|true|false|".*"|\[.*\])$/.test(text) ? `\`${text}\`` : text;
}
