// A UTF-8 character has at most this many bytes after its first one.
const mostContinuationBytes = 3;

/**
 * Reads the characters that begin in a range of bytes of UTF-8 text. A client that reads a file range by range and joins
 * the parts gets every character once, also those that cross a boundary between two ranges.
 *
 * @param read returns fewer bytes than asked for at the end of the text
 */
export async function wholeCharacters(
  read: (position: number, sizeBytes: number) => Promise<Buffer>,
  offset: number,
  lengthBytes: number,
): Promise<string> {
  const bytes = await read(offset, lengthBytes + mostContinuationBytes);
  let start = 0;
  // At the start of the text a continuation byte belongs to no earlier character.
  while (offset > 0 && start < Math.min(mostContinuationBytes, lengthBytes) && isContinuation(bytes[start])) {
    start += 1;
  }
  if (start >= lengthBytes) {
    return "";
  }
  let end = Math.min(lengthBytes, bytes.length);
  while (end < bytes.length && isContinuation(bytes[end])) {
    end += 1;
  }
  return bytes.toString("utf8", start, end);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000;
}
