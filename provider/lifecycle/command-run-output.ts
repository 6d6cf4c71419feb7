/** The end of an output. */
export interface KeptOutput {
  /** Bytes that are no UTF-8 are U+FFFD. */
  readonly text: string;
  /** How much the command wrote, in bytes. */
  readonly sizeBytes: number;
  /** Whether the beginning was left out. */
  readonly isCut: boolean;
}

/** Follows one output of a command and keeps its end. Uses no more than about twice the bytes that it keeps. */
export class OutputTail {
  private readonly chunks: Buffer[] = [];
  private chunksBytes = 0;
  private sizeBytes = 0;
  /** How many bytes of the output were read or left out. */
  offset = 0;

  /** @param keptBytes how much of the end to keep */
  constructor(private readonly keptBytes: number) {}

  /** How much of what the command has written was not read yet, in bytes. */
  get behindBytes(): number {
    return Math.max(0, this.sizeBytes - this.offset);
  }

  /** Takes bytes that follow those read before. */
  add(bytes: Buffer, sizeBytes: number): void {
    this.sizeBytes = Math.max(this.sizeBytes, sizeBytes);
    this.offset += bytes.length;
    this.chunks.push(bytes);
    this.chunksBytes += bytes.length;
    while (this.chunksBytes - (this.chunks[0]?.length ?? 0) >= this.keptBytes && this.chunks.length > 1) {
      this.chunksBytes -= this.chunks.shift()?.length ?? 0;
    }
  }

  /**
   * Leaves out what will not be kept anyway.
   *
   * @returns how many bytes were left out
   */
  skip(): number {
    const skippedBytes = this.behindBytes - this.keptBytes;
    if (skippedBytes <= 0) {
      return 0;
    }
    this.offset += skippedBytes;
    this.chunks.length = 0;
    this.chunksBytes = 0;
    return skippedBytes;
  }

  end(): KeptOutput {
    const all = Buffer.concat(this.chunks);
    const from = Math.max(0, all.length - this.keptBytes);
    const isCut = this.offset > all.length - from;
    const kept = all.subarray(isCut ? firstCharacter(all, from) : from);
    return { text: kept.toString("utf8"), sizeBytes: this.offset, isCut };
  }
}

/** Returns the start of the first whole character of UTF-8. The longest has four bytes. */
function firstCharacter(bytes: Buffer, from: number): number {
  const isContinuation = (index: number) => ((bytes[index] ?? 0) & 0xc0) === 0x80;
  let start = from;
  while (start < from + 3 && isContinuation(start)) {
    start += 1;
  }
  return isContinuation(start) ? from : start;
}
