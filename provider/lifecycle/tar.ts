/** A file to pack. */
export interface TarEntry {
  /** Path with slashes. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
  content(): AsyncIterable<Buffer>;
}

const blockBytes = 512;
const longestName = 100;

/**
 * Packs files in the format of `tar`. A name that is too long for a header follows in an entry of its own, in a form that
 * GNU tar, BSD tar and BusyBox know.
 */
export async function* packTar(entries: Iterable<TarEntry>): AsyncGenerator<Buffer> {
  for (const { name, sizeBytes, mode, content } of entries) {
    const bytes = Buffer.from(name);
    if (bytes.length > longestName) {
      const ended = Buffer.concat([bytes, Buffer.alloc(1)]);
      yield header(Buffer.from("././@LongLink"), ended.length, 0o644, "L");
      yield padded(ended);
    }
    yield header(bytes.subarray(0, longestName), sizeBytes, mode, "0");
    yield* content();
    yield Buffer.alloc(paddingBytes(sizeBytes));
  }
  yield Buffer.alloc(2 * blockBytes);
}

function header(name: Buffer, sizeBytes: number, mode: number, type: string): Buffer {
  const block = Buffer.alloc(blockBytes);
  name.copy(block);
  const field = (offset: number, length: number, value: number) =>
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, offset, "latin1");
  field(100, 8, mode);
  field(108, 8, 0);
  field(116, 8, 0);
  field(124, 12, sizeBytes);
  field(136, 12, 0);
  block.write(type, 156, "latin1");
  block.write("ustar  \0", 257, "latin1");
  // The checksum counts its own field as blanks.
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(paddingBytes(bytes.length))]);
}

function paddingBytes(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
}
