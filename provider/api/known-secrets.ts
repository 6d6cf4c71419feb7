import { everyViewOf, type View } from "./decoded-views";
import { StringFinder } from "./string-finder";

/** Something that no text may repeat. */
export interface KnownSecret {
  readonly value: string;
  /** What stands in its place. */
  readonly mask: string;
  /** Whether it is hidden also inside of longer words; the others only where they stand alone. */
  readonly insideWords: boolean;
}

/**
 * Replaces known secrets by their masks.
 *
 * @param shown how many characters of the text to return, default all. A secret that begins within them and ends
 *   after them is replaced as well.
 */
export type HideSecrets = (text: string, shown?: number) => string;

/**
 * How many characters the encoding of one character may take where a long text is cut off. Three times encoded for a URL, a
 * Chinese one takes 21. Any other secret is found whatever its length.
 */
export const longestEncoding = 32;

const shortestHiddenLabel = 4;
const shortestInsideWords = 8;

/** An API key is hidden wherever it stands. */
export function keySecret(value: string): KnownSecret {
  return { value, mask: "[API key]", insideWords: true };
}

/**
 * The values of labels, any of which may be secret: a dynamic provider is not told which are. To keep messages readable
 * a value of fewer than 8 characters is hidden only where it stands alone as a word, and one of fewer than 4, which
 * is no secret, is not hidden.
 */
export function labelSecrets(labels: Readonly<Record<string, unknown>>): KnownSecret[] {
  return Object.entries(labels).flatMap(([key, value]) =>
    typeof value === "string" && value.length >= shortestHiddenLabel
      ? [{ value, mask: `[label ${JSON.stringify(key)}]`, insideWords: value.length >= shortestInsideWords }]
      : [],
  );
}

/**
 * Makes a function that hides secrets: the value, the value without the white space around it, and each of its lines of 8
 * characters or more, in upper and lower case. They are found plain, in the escapes of URLs, forms, JSON, JavaScript
 * and HTML, also nested and mixed, and in Base64 and hexadecimal digits, also as a part of longer ones. Other
 * encodings, a hash or a secret cut in two are not recognised.
 *
 * It takes time in proportion to the length of the text and of the secrets, and does not throw.
 */
export function hiderFor(secrets: readonly KnownSecret[]): HideSecrets {
  const needles = needlesOf(secrets);
  let finder: StringFinder | undefined;
  return (text, shown = text.length) => {
    if (needles.length === 0) {
      return text.slice(0, shown);
    }
    finder ??= new StringFinder(needles.map(({ value }) => value));
    const ranges: Range[][] = [];
    for (const view of everyViewOf(text)) {
      ranges.push(rangesIn(view, finder, needles));
    }
    return replaceRanges(text.slice(0, shown), merged(ranges.flat()));
  };
}

/** A part of the text that a secret was found in. */
interface Range {
  readonly start: number;
  readonly end: number;
  readonly needle: KnownSecret;
}

/** What to look for, each string once. */
function needlesOf(secrets: readonly KnownSecret[]): KnownSecret[] {
  const needles = new Map<string, KnownSecret>();
  const add = (needle: KnownSecret) => {
    const known = needles.get(needle.value);
    if (needle.value !== "" && (known === undefined || (needle.insideWords && !known.insideWords))) {
      needles.set(needle.value, needle);
    }
  };
  for (const secret of secrets) {
    add(secret);
  }
  for (const { value, mask, insideWords } of secrets) {
    const trimmed = value.trim();
    if (trimmed.length >= shortestHiddenLabel) {
      add({ value: trimmed, mask, insideWords: insideWords && trimmed.length >= shortestInsideWords });
    }
    const lines = value.split(/[\r\n]+/).map((line) => line.trim());
    for (const line of lines.filter(({ length }) => length >= shortestInsideWords)) {
      add({ value: line, mask, insideWords });
    }
  }
  for (const needle of [...needles.values()]) {
    // As UTF-8 shows it, which has no halves of characters, and as headers do, which are read as Latin-1.
    const bytes = Buffer.from(needle.value);
    add({ ...needle, value: bytes.toString() });
    add({ ...needle, value: bytes.toString("latin1") });
  }
  // Of those that differ in case only, the finder takes the first.
  return [...needles.values()].sort((one, other) => Number(other.insideWords) - Number(one.insideWords));
}

function rangesIn(view: View, finder: StringFinder, needles: readonly KnownSecret[]): Range[] {
  const ranges: Range[] = [];
  finder.find(view.text, (index, until) => {
    const needle = needles[index];
    if (needle === undefined) {
      return;
    }
    const from = until - needle.value.length;
    if (needle.insideWords || !(isInWord(view, from - 1) || isInWord(view, until))) {
      pushMerged(ranges, { start: view.starts[from] ?? 0, end: view.ends[until - 1] ?? 0, needle });
    }
  });
  return ranges;
}

/** Whether a letter or the like stands there that is not a part of an escape. */
function isInWord({ text, starts, ends }: View, position: number): boolean {
  const isPlain = (ends[position] ?? 0) - (starts[position] ?? 0) === 1;
  const isLowSurrogate = /[\udc00-\udfff]/.test(text.charAt(position));
  const code = text.codePointAt(isLowSurrogate ? position - 1 : position);
  return isPlain && code !== undefined && /[\p{L}\p{N}_-]/u.test(String.fromCodePoint(code));
}

/** Adds a range to sorted ones that do not overlap. Where it overlaps the last ones, the mask of the longest secret wins. */
function pushMerged(ranges: Range[], added: Range): void {
  let range = added;
  for (let last = ranges.at(-1); last !== undefined && last.end > range.start; last = ranges.at(-1)) {
    ranges.pop();
    range = {
      start: Math.min(last.start, range.start),
      end: Math.max(last.end, range.end),
      needle: last.needle.value.length >= range.needle.value.length ? last.needle : range.needle,
    };
  }
  ranges.push(range);
}

function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((one, other) => one.start - other.start || one.end - other.end)) {
    pushMerged(result, range);
  }
  return result;
}

function replaceRanges(text: string, ranges: readonly Range[]): string {
  let result = "";
  let position = 0;
  for (const { start, end, needle } of ranges) {
    if (start >= text.length) {
      break;
    }
    result += text.slice(position, start) + needle.mask;
    position = end;
  }
  return result + text.slice(position);
}
