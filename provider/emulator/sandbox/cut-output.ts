/**
 * The text of an output, cut at the limit, with a line that says so. The limit is for the size as a JSON string in UTF-8,
 * because that is what is sent: an escaped byte counts with its escape.
 *
 * @param head the first bytes of the output: all of them, or at least `limitBytes`
 * @param sizeBytes how many bytes the whole output has
 */
export function cutOutput(head: Buffer, sizeBytes: number, limitBytes: number): string {
  const text = head.toString("utf8");
  if (sizeBytes <= limitBytes && Buffer.byteLength(JSON.stringify(text)) - 2 <= limitBytes) {
    return text;
  }
  let end = 0;
  for (let size = 0; end < text.length; end += 1) {
    size += jsonSizeAt(text, end);
    if (size > limitBytes) {
      break;
    }
  }
  const isInsidePair = isHighSurrogate(text.charCodeAt(end - 1));
  return `${text.slice(0, isInsidePair ? end - 1 : end)}\n[output cut after ${limitBytes} bytes]`;
}

/** Bytes of one UTF-16 unit in a JSON string. */
function jsonSizeAt(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  if (unit < 0x20) {
    return [8, 9, 10, 12, 13].includes(unit) ? 2 : 6;
  }
  if (unit < 0x80) {
    return unit === 0x22 || unit === 0x5c ? 2 : 1;
  }
  if (unit < 0x800) {
    return 2;
  }
  // Each half of a surrogate pair, which is one character of four bytes.
  return unit >= 0xd800 && unit < 0xe000 ? 2 : 3;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
