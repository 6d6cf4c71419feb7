import type { Readable } from "node:stream";
import { CodedError } from "../messages/coded-error";

/** It travels in pieces of 50 KiB, a call each, so more than this would take minutes. */
const longestStdinBytes = 10_000_000;

/** Standard input for a command in a session. */
export interface EncodedStdin {
  readonly text: string;
  /** What comes before the command to decode the text. Empty when the text is the input itself. */
  readonly decoder: string;
}

/** Reads a stream to its end. @throws CodedError when it is too long */
export async function readStdin(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > longestStdinBytes) {
      throw new CodedError(
        `The command did not run: standard input is longer than ${longestStdinBytes / 1_000_000} MB. Put the data into a file of ` +
          "the session or into a context, and let the command read that.",
        "AGB642",
      );
    }
  }
  return Buffer.concat(chunks);
}

/**
 * Encodes bytes for a session, which takes only text without NUL. The shell that decodes them waits for the command, also after
 * a signal to both.
 */
export function encodeStdin(bytes: Buffer): EncodedStdin {
  const text = bytes.toString("utf8");
  const isText = !text.includes("\0") && Buffer.from(text).equals(bytes);
  return isText ? { text, decoder: "" } : { text: bytes.toString("base64"), decoder: "trap : TERM; base64 -d | " };
}
