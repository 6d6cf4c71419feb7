/** Something that no text may repeat. */
export interface KnownSecret {
  readonly value: string;
  /** What stands in its place. */
  readonly mask: string;
  /** Whether it is hidden also inside of longer words; the others only where they stand alone. */
  readonly insideWords: boolean;
}

/** How many characters one character of a secret may take in an encoding, at most. */
export const longestEncoding = 96;

const shortestHiddenLabel = 4;
const shortestInsideWords = 8;
// Shorter needles would be found in text that has nothing to do with the secret.
const shortestBase64 = 6;

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
 * Replaces known secrets by their masks, in upper and lower case and in the encodings that servers use to
 * repeat what they got: plain, percent-encoded, escaped for JSON or HTML, also nested and mixed; in hexadecimal digits;
 * in Base64 of both alphabets, also as a part of a longer encoded text such as that of a header. A secret that was
 * cut in two, reversed or hashed is not recognised.
 */
export function hideSecrets(text: string, secrets: readonly KnownSecret[]): string {
  const known = secrets.filter(({ value }) => value !== "").sort((one, other) => other.value.length - one.value.length);
  if (known.length === 0 || text === "") {
    return text;
  }
  const pattern = known.map((secret, index) => `(?<s${index}>${patternOf(secret)})`).join("|");
  return text.replaceAll(new RegExp(pattern, "giu"), (...match) => {
    const groups = match.at(-1) as Readonly<Record<string, string | undefined>>;
    return known.find((_, index) => groups[`s${index}`] !== undefined)?.mask ?? "";
  });
}

function patternOf({ value, insideWords }: KnownSecret): string {
  // Backslashes in a row are one piece: matched one by one, each with more in front, there would be endless ways to try.
  const spelled = (value.match(/\\+|[^\\]/gu) ?? []).map(anyFormOf).join("");
  const bytes = bytesOf(value);
  return [
    insideWords ? spelled : `${wordStart}${spelled}${wordEnd}`,
    ...(bytes.length >= shortestBase64 ? base64Parts(bytes).map(base64Pattern) : []),
    bytes.map(hexadecimal).join("[\\s:-]?"),
  ].join("|");
}

// What stands before a word may be an escape such as %22 or \u0022, whose last character is a digit or a letter.
const wordStart = String.raw`(?:(?<![\p{L}\p{N}_-])|(?<=%[0-9a-f]{2})|(?<=\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|[nrtbf])))`;
const wordEnd = String.raw`(?![\p{L}\p{N}_-])`;

const htmlNames: Readonly<Record<string, string>> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" };
const jsonLetters: Readonly<Record<string, string>> = {
  "\b": "b",
  "\f": "f",
  "\n": "n",
  "\r": "r",
  "\t": "t",
};

// JSON in JSON doubles the backslashes, and a URL may hold them percent-encoded.
const backslash = String.raw`(?:\\|%(?:25){0,2}5c)`;

/**
 * A pattern for one character, or several backslashes, in each form. Backslashes that escape what follows others count to
 * those, so that there is one way only to share them out.
 */
function anyFormOf(character: string, index = 0, all: readonly string[] = []): string {
  if (character.startsWith("\\")) {
    const { length } = character;
    return `(?:${backslash}{${length},${8 * length + 8}}|(?:${backslash}{1,8}u005c){${length}}${backslash}{0,8}|(?:&(?:amp;){0,2}#(?:92|x5c);){${length}})`;
  }
  const code = character.codePointAt(0) ?? 0;
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  const htmlName = htmlNames[character];
  const jsonLetter = jsonLetters[character];
  const percent = bytesOf(character).map((byte) => `%(?:25){0,2}${hexadecimal(byte)}`);
  const followsBackslash = all[index - 1]?.startsWith("\\") ?? false;
  const prefix = followsBackslash ? "" : `${backslash}{1,8}`;
  const escaped = !followsBackslash && /[\p{P}\p{S}]/u.test(character) ? `${backslash}{0,8}` : "";
  const forms = [
    `${escaped}(?:${literal(character)}|${percent.join("")})`,
    units
      .map((unit, at) => `${at === 0 ? prefix : `${backslash}{1,8}`}u${unit.toString(16).padStart(4, "0")}`)
      .join(""),
    ...(code < 256 ? [`${prefix}x${hexadecimal(code)}`] : []),
    `&(?:amp;){0,2}#(?:0{0,4}${code}|x0{0,4}${code.toString(16)});`,
    ...(htmlName === undefined ? [] : [`&(?:amp;){0,2}${htmlName};`]),
    ...(jsonLetter === undefined ? [] : [`${prefix}${jsonLetter}`]),
    ...(character === " " ? ["\\+"] : []),
  ];
  return `(?:${forms.join("|")})`;
}

/**
 * The characters of a Base64 text that the bytes alone decide, for each of the three places where they may begin in a
 * group.
 */
function base64Parts(bytes: readonly number[]): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.from([...Array<number>(offset).fill(0), ...bytes]).toString("base64");
    return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
}

// The other alphabet's, and what a server makes of a plus in a form.
const base64Alternatives: Readonly<Record<string, string>> = { "+": "[- ]", "/": "_" };

function base64Pattern(encoded: string): string {
  return [...encoded]
    .map((character) => {
      const other = base64Alternatives[character];
      return other === undefined ? character : `(?:${anyFormOf(character)}|${other})`;
    })
    .join("");
}

function bytesOf(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

function hexadecimal(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
