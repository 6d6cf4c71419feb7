/**
 * Encodes the request for a check of a resource whose properties are strings. Protobuf's library for JavaScript puts each byte
 * of a message into a list, which cannot hold strings as long as those that engines of other languages send.
 */
export function encodeCheckRequest(urn: string, news: Readonly<Record<string, string>>): Buffer {
  const properties = Object.entries(news).map(([name, text]) =>
    // An entry of the map `fields` of a Struct: its key, and a Value that holds a string.
    field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, field(3, Buffer.from(text)))])),
  );
  return Buffer.concat([field(1, Buffer.from(urn)), field(3, Buffer.concat(properties))]);
}

/** A field of bytes: its number and type, its length, its content. */
function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + 128);
  }
  return Buffer.from([...bytes, rest]);
}
