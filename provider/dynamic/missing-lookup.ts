import type { Account } from "./connection";
import { resourceName, type SessionProperties } from "./session-properties";

/** A session that a program looks up by its id does not run. */
export class MissingLookupError extends Error {
  override readonly name = "MissingLookupError";
}

/** Tells whether the program looks a session up with `AgbSession.get`: then nothing is known but the id. */
export function isLookup({ labelsAll }: Partial<SessionProperties>): boolean {
  return labelsAll === undefined;
}

/**
 * Name of the resource in this program, when known. One that was looked up has no image here, and its label names the
 * resource of its owner.
 */
export function ownName(known: Partial<SessionProperties>): string | undefined {
  return known.imageId === undefined ? undefined : resourceName(known);
}

/**
 * A program that looks up a session which does not run would go on with outputs that are not there. A refresh may drop
 * one that was looked up earlier: the program decides.
 *
 * @throws MissingLookupError when the session is being looked up
 */
export function refuseMissingLookup({ settings, apiKey }: Account, known: Partial<SessionProperties>): void {
  if (isLookup(known)) {
    throw new MissingLookupError(
      `no session with this id runs at ${settings.baseUrl} in the account of the key from ${apiKey.source}`,
    );
  }
}
