/** Called for each occurrence of a needle; `end` is the position after its last character. */
export type OnFound = (needle: number, end: number) => void;

const noNode = 0;

/**
 * Finds many strings in one pass, ignoring case, with the Aho–Corasick algorithm. The time depends only on the length of
 * the text, not on the strings. Positions and lengths count UTF-16 units.
 */
export class StringFinder {
  // Node 0 is the root. The children of every other node form a list; the root has a table, because it has many.
  readonly #rootChild = new Int32Array(65_536);
  readonly #firstChild: Int32Array;
  readonly #sibling: Int32Array;
  readonly #unit: Uint16Array;
  /** The node of the longest proper suffix. */
  readonly #suffix: Int32Array;
  /** The node of the longest proper suffix that is a needle. */
  readonly #shorterNeedle: Int32Array;
  /** The needle that ends at a node, or -1. */
  readonly #needle: Int32Array;

  /** @param needles the strings to find, none of them empty */
  constructor(needles: readonly string[]) {
    const size = needles.reduce((sum, { length }) => sum + length, 1);
    this.#firstChild = new Int32Array(size);
    this.#sibling = new Int32Array(size);
    this.#unit = new Uint16Array(size);
    this.#suffix = new Int32Array(size);
    this.#shorterNeedle = new Int32Array(size);
    this.#needle = new Int32Array(size).fill(-1);
    let count = 1;
    for (const [index, needle] of needles.entries()) {
      let node = 0;
      for (const unit of foldCase(needle)) {
        const child = this.#child(node, unit);
        node = child === noNode ? this.#add(count++, node, unit) : child;
      }
      if (at(this.#needle, node) < 0) {
        this.#needle[node] = index;
      }
    }
    this.#linkSuffixes();
  }

  /** Reports every occurrence, in the order in which they end. */
  find(text: string, onFound: OnFound): void {
    const folded = foldCase(text);
    let node = 0;
    for (let position = 0; position < folded.length; position += 1) {
      node = this.#step(node, at(folded, position));
      let match = at(this.#needle, node) < 0 ? at(this.#shorterNeedle, node) : node;
      while (match !== noNode) {
        onFound(at(this.#needle, match), position + 1);
        match = at(this.#shorterNeedle, match);
      }
    }
  }

  #add(node: number, parent: number, unit: number): number {
    this.#unit[node] = unit;
    if (parent === 0) {
      this.#rootChild[unit] = node;
    }
    this.#sibling[node] = at(this.#firstChild, parent);
    this.#firstChild[parent] = node;
    return node;
  }

  #child(parent: number, unit: number): number {
    if (parent === 0) {
      return at(this.#rootChild, unit);
    }
    let child = at(this.#firstChild, parent);
    while (child !== noNode && at(this.#unit, child) !== unit) {
      child = at(this.#sibling, child);
    }
    return child;
  }

  #step(from: number, unit: number): number {
    let node = from;
    let child = this.#child(node, unit);
    while (child === noNode && node !== 0) {
      node = at(this.#suffix, node);
      child = this.#child(node, unit);
    }
    return child;
  }

  #linkSuffixes(): void {
    const queue = [0];
    for (const parent of queue) {
      for (let node = at(this.#firstChild, parent); node !== noNode; node = at(this.#sibling, node)) {
        const suffix = parent === 0 ? 0 : this.#step(at(this.#suffix, parent), at(this.#unit, node));
        this.#suffix[node] = suffix;
        this.#shorterNeedle[node] = at(this.#needle, suffix) < 0 ? at(this.#shorterNeedle, suffix) : suffix;
        queue.push(node);
      }
    }
  }
}

// The folded form of each unit, computed on first use; 0 means not computed yet.
const foldedUnits = new Uint16Array(65_536);

/** Folds upper and lower case without changing the length. */
function foldCase(text: string): Uint16Array {
  const folded = new Uint16Array(text.length);
  for (let position = 0; position < text.length; position += 1) {
    const unit = text.charCodeAt(position);
    const code = unit >= 0xd800 && unit < 0xdc00 ? (text.codePointAt(position) ?? unit) : unit;
    if (code > 0xffff) {
      const pair = foldCharacter(String.fromCodePoint(code));
      folded[position] = pair.charCodeAt(0);
      position += 1;
      folded[position] = pair.charCodeAt(1);
    } else {
      foldedUnits[unit] ||= foldCharacter(String.fromCharCode(unit)).charCodeAt(0);
      folded[position] = at(foldedUnits, unit);
    }
  }
  return folded;
}

/** Goes through upper case, because several lower-case letters may share one, such as the two forms of sigma. */
function foldCharacter(character: string): string {
  const { length } = character;
  const upper = character.toUpperCase();
  const lower = (upper.length === length ? upper : character).toLowerCase();
  return lower.length === length ? lower : character;
}

function at(numbers: Int32Array | Uint16Array, index: number): number {
  return numbers[index] ?? 0;
}
