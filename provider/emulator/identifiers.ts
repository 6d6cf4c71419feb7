import { randomBytes, randomUUID } from "node:crypto";

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
// The largest multiple of the alphabet's length that fits in a byte. Larger bytes would favour the first letters.
const unbiasedBelow = 256 - (256 % alphabet.length);

/** Lower-case letters and digits from the system's random source. */
export function randomString(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < unbiasedBelow && text.length < length) {
        text += alphabet[byte % alphabet.length];
      }
    }
  }
  return text;
}

/** `session-` and 25 lower-case letters and digits, the form of the masked examples in AGB's documentation. */
export function newSessionId(): string {
  return `session-${randomString(25)}`;
}

/** Identifies the state of one emulator. It is short, because clients keep it with each session. */
export function newEmulatorId(): string {
  return randomString(12);
}

/** An upper-case UUID, the form of the request ids in AGB's documentation. */
export function newRequestId(): string {
  return randomUUID().toUpperCase();
}
