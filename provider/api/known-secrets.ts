import { everyViewOf, type View } from "./decoded-views";
import { StringFinder } from "./string-finder";

/** A string that no output may repeat. */
export interface KnownSecret {
  readonly value: string;
  /** What replaces it in the output. */
  readonly mask: string;
  /** Whether it is also hidden inside of longer words. Otherwise it is hidden only as a separate word. */
  readonly insideWords: boolean;
}

/**
 * Replaces known secrets with their masks.
 *
 * @param shown how many characters of the text to return, by default all. A secret that begins within them and ends
 *   after them is replaced too.
 */
export type HideSecrets = (text: string, shown?: number) => string;

/**
 * How many characters one encoded character may take where a long text is cut off. A Chinese character that is encoded
 * three times for a URL takes 21. Away from the cut, secrets of any encoded length are found.
 */
export const longestEncoding = 32;

const shortestHiddenValue = 4;
const shortestInsideWords = 8;

/** Returns the secret for an API key, which is hidden everywhere. */
export function keySecret(value: string): KnownSecret {
  return { value, mask: "[API key]", insideWords: true };
}

/**
 * Returns the secret for a declared value. Any of them may be secret, because Pulumi does not tell a dynamic provider which
 * ones are. To keep messages readable, a value of fewer than 8 characters is hidden only as a separate word, and one of
 * fewer than 4 not at all.
 *
 * @returns nothing for a value that is too short, or no string
 */
export function valueSecrets(value: unknown, mask: string): KnownSecret[] {
  return typeof value === "string" && value.length >= shortestHiddenValue
    ? [{ value, mask, insideWords: value.length >= shortestInsideWords }]
    : [];
}

/** Returns the secrets for the values of labels, see `valueSecrets`. */
export function labelSecrets(labels: Readonly<Record<string, unknown>>): KnownSecret[] {
  return Object.entries(labels).flatMap(([key, value]) => valueSecrets(value, `[label ${JSON.stringify(key)}]`));
}

/**
 * Creates a function that hides secrets: the value, the trimmed value, and each of its lines of 8 characters or more,
 * in upper and lower case. It finds them plain, in the escapes of URLs, forms, JSON, JavaScript and HTML, also nested
 * and mixed, and in Base64 and hexadecimal digits, also inside of longer ones. It does not recognise other encodings,
 * hashes, or a secret that was cut in two.
 *
 * The function takes linear time in the length of the text and of the secrets, and does not throw.
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

/** A part of the text that contains a secret. */
interface Range {
  readonly start: number;
  readonly end: number;
  readonly needle: KnownSecret;
}

/** Returns the strings to search for, each once. */
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
    if (trimmed.length >= shortestHiddenValue) {
      add({ value: trimmed, mask, insideWords: insideWords && trimmed.length >= shortestInsideWords });
    }
    const lines = value.split(/[\r\n]+/).map((line) => line.trim());
    for (const line of lines.filter(({ length }) => length >= shortestInsideWords)) {
      add({ value: line, mask, insideWords });
    }
  }
  for (const needle of [...needles.values()]) {
    // Once as UTF-8, which cannot hold half a surrogate pair, and once as it reads in headers, which are Latin-1.
    const bytes = Buffer.from(needle.value);
    add({ ...needle, value: bytes.toString() });
    add({ ...needle, value: bytes.toString("latin1") });
  }
  // Of needles that differ only in case, the finder uses the first.
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

/** Returns whether there is a word character at the position that is not part of an escape. */
function isInWord({ text, starts, ends }: View, position: number): boolean {
  const isPlain = (ends[position] ?? 0) - (starts[position] ?? 0) === 1;
  const isLowSurrogate = /[\udc00-\udfff]/.test(text.charAt(position));
  const code = text.codePointAt(isLowSurrogate ? position - 1 : position);
  return isPlain && code !== undefined && /[\p{L}\p{N}_-]/u.test(String.fromCodePoint(code));
}

/** Adds a range to sorted ranges that do not overlap. If it overlaps the last ones, the mask of the longest secret wins. */
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
