/** A decoded string. Each UTF-16 unit knows the part of the source that it was decoded from. */
export interface View {
  readonly text: string;
  /** Where each unit's part of the source begins. */
  readonly starts: Int32Array;
  /** Where each unit's part of the source ends: the position after its last character. */
  readonly ends: Int32Array;
}

/** Decodes one escape sequence, if there is one at the position. */
type Unescape = (text: string, position: number) => { readonly length: number; readonly decoded: string } | undefined;

/** Decoders by the first character of the escape sequence. */
type Escapes = ReadonlyMap<string, Unescape>;

// These bound the time, whatever a server sends.
const mostViews = 30;
const deepestMixture = 4;
const deepestNesting = 6;

const shortestBase64 = 6;
const shortestHexadecimal = 8;

/**
 * Yields every reading of a string. These are the string itself and what it says with the escapes of URLs, forms, JSON,
 * JavaScript and HTML decoded, also nested and mixed. For each of them, also what its Base64 and hexadecimal digits say.
 * Anything that is not an escape stays unchanged, so a string may be partly encoded. Takes linear time.
 */
export function* everyViewOf(source: string): Generator<View> {
  for (const view of unescapedViews(source)) {
    yield view;
    yield* base64Views(view);
    yield* hexadecimalViews(view);
  }
}

const percentEscape: Unescape = (text, position) => {
  const first = percentByte(text, position);
  if (first < 0) {
    return undefined;
  }
  const { decoded, bytes } = utf8Character(first, (index) => percentByte(text, position + 3 * index));
  return { decoded, length: 3 * bytes };
};

const backslashLetters: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const backslashPattern = /\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([bfnrt])|([!-/:-@[-`{-~]))/iy;

const backslashEscape: Unescape = (text, position) => {
  backslashPattern.lastIndex = position;
  const match = backslashPattern.exec(text);
  if (match === null) {
    return undefined;
  }
  const [{ length }, unit, byte, letter, punctuation] = match;
  const code = unit ?? byte;
  const decoded =
    code === undefined
      ? (punctuation ?? backslashLetters[letter?.toLowerCase() ?? ""])
      : String.fromCharCode(Number.parseInt(code, 16));
  return { decoded: decoded ?? "", length };
};

const htmlNames: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
// A server may write any number of leading zeros. No server writes 32 digits.
const htmlPattern = /&(?:#x([0-9a-f]{1,32});?|#([0-9]{1,32});?|(amp|lt|gt|quot|apos);)/iy;

const htmlEscape: Unescape = (text, position) => {
  htmlPattern.lastIndex = position;
  const match = htmlPattern.exec(text);
  if (match === null) {
    return undefined;
  }
  const [{ length }, hexadecimal, decimal, name] = match;
  if (name !== undefined) {
    return { decoded: htmlNames[name.toLowerCase()] ?? "", length };
  }
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  return code > 0x10ffff ? undefined : { decoded: String.fromCodePoint(code), length };
};

const plusEscape: Unescape = () => ({ decoded: " ", length: 1 });

const percent: Escapes = new Map([["%", percentEscape]]);
const form: Escapes = new Map([...percent, ["+", plusEscape]]);
const backslash: Escapes = new Map([["\\", backslashEscape]]);
const html: Escapes = new Map([["&", htmlEscape]]);
const all: Escapes = new Map([...percent, ...backslash, ...html]);
const allWithPlus: Escapes = new Map([...form, ...all]);

function unescapedViews(source: string): View[] {
  const positions = Int32Array.from({ length: source.length }, (_, index) => index);
  const original: View = { text: source, starts: positions, ends: positions.map((position) => position + 1) };
  const views = [{ view: original, depth: 0 }];
  const seen = new Set([source]);
  const add = (parent: View, escapes: Escapes, depth: number): View | undefined => {
    const view = views.length < mostViews ? decodeEscapes(parent, escapes) : undefined;
    if (view === undefined || seen.has(view.text)) {
      return undefined;
    }
    seen.add(view.text);
    views.push({ view, depth });
    return view;
  };
  // First the views that read what servers and proxies write in practice, because the number of views is limited.
  for (const escapes of [all, allWithPlus]) {
    let view = add(original, escapes, 1);
    for (let depth = 2; view !== undefined && depth <= deepestNesting; depth += 1) {
      view = add(view, all, depth);
    }
  }
  // A secret may look like an escape, so each kind is also decoded on its own.
  for (const { view, depth } of views) {
    for (const escapes of depth < deepestMixture ? [percent, form, backslash, html] : []) {
      add(view, escapes, depth + 1);
    }
  }
  return views.map(({ view }) => view);
}

/** Decodes each escape sequence once. Returns `undefined` if there is none. */
function decodeEscapes(view: View, escapes: Escapes): View | undefined {
  const { text, starts, ends } = view;
  // No escape is shorter than its decoded form.
  const building = new ViewBuilder(text.length);
  let isChanged = false;
  for (let position = 0; position < text.length; ) {
    const piece = escapes.get(text.charAt(position))?.(text, position);
    const length = piece?.length ?? 1;
    const start = starts[position] ?? 0;
    const end = ends[position + length - 1] ?? 0;
    if (piece === undefined) {
      building.addUnit(text.charCodeAt(position), start, end);
    } else {
      building.add(piece.decoded, start, end);
      isChanged = true;
    }
    position += length;
  }
  return isChanged ? building.view() : undefined;
}

/** The digits of a view and their positions. A digit of -1 separates runs. */
interface Digits {
  readonly values: number[];
  readonly positions: number[];
}

const noDigit = -1;

/** Decodes the Base64 in a view, in both alphabets, for each of the four positions where a group may begin. */
function base64Views(view: View): View[] {
  const runs = /[\w+/-]+(?:(?: |\r?\n[ \t]*)[\w+/-]+)*/g;
  const digits: Digits = { values: [], positions: [] };
  for (const { 0: run, index } of view.text.matchAll(runs)) {
    if (run.length < shortestBase64) {
      continue;
    }
    for (let offset = 0; offset < run.length; offset += 1) {
      const isIndentation = run.charAt(offset) === " " && /\s/.test(run.charAt(offset - 1));
      // A server may have turned a plus into a single blank. Blanks after a line break are indentation.
      const value = isIndentation ? noDigit : base64Value(run.charCodeAt(offset));
      if (value !== noDigit) {
        digits.values.push(value);
        digits.positions.push(index + offset);
      }
    }
    digits.values.push(noDigit);
    digits.positions.push(index);
  }
  return [0, 1, 2, 3].map((skipped) => viewOfDigits(view, digits, 6, skipped));
}

/** Decodes the hexadecimal digits in a view, with or without separators, for both positions where a pair may begin. */
function hexadecimalViews(view: View): View[] {
  const runs = /[0-9a-f]+(?:(?:[\s:,;-]{1,2}(?:0x)?)[0-9a-f]+)*/gi;
  const separator = /[\s:,;-]{1,2}(?:0x)?/iy;
  const digits: Digits = { values: [], positions: [] };
  for (const { 0: run, index } of view.text.matchAll(runs)) {
    if (run.length < shortestHexadecimal) {
      continue;
    }
    for (let offset = 0; offset < run.length; offset += 1) {
      separator.lastIndex = offset;
      offset += separator.exec(run)?.[0].length ?? 0;
      digits.values.push(hexadecimalValue(run.charCodeAt(offset)));
      digits.positions.push(index + offset);
    }
    digits.values.push(noDigit);
    digits.positions.push(index);
  }
  return [0, 1].map((skipped) => viewOfDigits(view, digits, 4, skipped));
}

/** Joins the bits of the digits to bytes and reads them as UTF-8. */
function viewOfDigits(view: View, { values, positions }: Digits, bits: 4 | 6, skipped: number): View {
  const bytes = new Uint8Array(values.length);
  const starts = new Int32Array(values.length);
  const ends = new Int32Array(values.length);
  let length = 0;
  let from = 0;
  for (let to = values.indexOf(noDigit); to >= 0; to = values.indexOf(noDigit, from)) {
    const first = from + skipped;
    const count = Math.floor(((to - first) * bits) / 8);
    for (let index = 0; index < count; index += 1) {
      const digit = first + Math.floor((index * 8) / bits);
      const shift = 2 * bits - 8 - ((index * 8) % bits);
      bytes[length] = (((values[digit] ?? 0) << bits) | (values[digit + 1] ?? 0)) >> shift;
      starts[length] = view.starts[positions[digit] ?? 0] ?? 0;
      ends[length] = view.ends[positions[digit + 1] ?? 0] ?? 0;
      length += 1;
    }
    // A zero byte separates the runs.
    length += 1;
    from = to + 1;
  }
  const building = new ViewBuilder(length);
  for (let index = 0; index < length; ) {
    const offset = index;
    const byte = bytes[offset] ?? 0;
    if (byte < 0x80) {
      building.addUnit(byte, starts[offset] ?? 0, ends[offset] ?? 0);
      index += 1;
    } else {
      const character = utf8Character(byte, (next) => bytes[offset + next] ?? -1);
      building.add(character.decoded, starts[offset] ?? 0, ends[offset + character.bytes - 1] ?? 0);
      index += character.bytes;
    }
  }
  return building.view();
}

/**
 * Reads one UTF-8 character. A byte that is not part of valid UTF-8 is read as Latin-1.
 *
 * @param byteAt returns the byte at an index after the first one, or -1
 */
function utf8Character(first: number, byteAt: (index: number) => number): { decoded: string; bytes: number } {
  const bytes = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let code = bytes === 1 ? first : first & (0xff >> (bytes + 1));
  for (let index = 1; index < bytes; index += 1) {
    const byte = byteAt(index);
    if ((byte & 0xc0) !== 0x80 || byte < 0) {
      return { decoded: String.fromCharCode(first), bytes: 1 };
    }
    code = (code << 6) | (byte & 0x3f);
  }
  const isValid = code <= 0x10ffff && (bytes < 3 || code >= (bytes === 3 ? 0x800 : 0x10000));
  return isValid ? { decoded: String.fromCodePoint(code), bytes } : { decoded: String.fromCharCode(first), bytes: 1 };
}

function percentByte(text: string, position: number): number {
  const high = hexadecimalValue(text.charCodeAt(position + 1));
  const low = hexadecimalValue(text.charCodeAt(position + 2));
  return text.charAt(position) === "%" && high >= 0 && low >= 0 ? 16 * high + low : -1;
}

function hexadecimalValue(unit: number): number {
  const isDecimal = unit >= 0x30 && unit <= 0x39;
  const letter = unit | 0x20;
  return isDecimal ? unit - 0x30 : letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : noDigit;
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const base64Values = new Map(
  [...base64Alphabet, "-", "_", " "].map((digit, index) => [
    digit.charCodeAt(0),
    // The last two digits of the other alphabet, and the blank that a form makes of a plus.
    index < 64 ? index : index === 65 ? 63 : 62,
  ]),
);

function base64Value(unit: number): number {
  return base64Values.get(unit) ?? noDigit;
}

class ViewBuilder {
  readonly #units: Uint16Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  #length = 0;

  constructor(longest: number) {
    this.#units = new Uint16Array(longest);
    this.#starts = new Int32Array(longest);
    this.#ends = new Int32Array(longest);
  }

  addUnit(unit: number, start: number, end: number): void {
    this.#units[this.#length] = unit;
    this.#starts[this.#length] = start;
    this.#ends[this.#length] = end;
    this.#length += 1;
  }

  add(units: string, start: number, end: number): void {
    for (let index = 0; index < units.length; index += 1) {
      this.addUnit(units.charCodeAt(index), start, end);
    }
  }

  view(): View {
    const pieces: string[] = [];
    for (let from = 0; from < this.#length; from += 8_192) {
      pieces.push(String.fromCharCode(...this.#units.subarray(from, Math.min(from + 8_192, this.#length))));
    }
    return {
      text: pieces.join(""),
      starts: this.#starts.subarray(0, this.#length),
      ends: this.#ends.subarray(0, this.#length),
    };
  }
}
