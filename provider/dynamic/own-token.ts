import type { Labels } from "../api/labels";
import { createTokenTime, ownershipKeys } from "../lifecycle/ownership";
import type { SessionProperties } from "./session-properties";

/** The session carries the create label of another adoption, so another resource owns it now. */
export class TakenOverError extends Error {
  override readonly name = "TakenOverError";

  constructor() {
    super("another resource took the session over with `adopt`, so its labels are left alone");
  }
}

/**
 * The create label that makes a session this resource's own. `undefined` for a session that is only looked up, and when
 * no valid one is known.
 */
export function ownTokenOf({ imageId, ownToken, labelsAll }: Partial<SessionProperties>): string | undefined {
  return imageId === undefined ? undefined : (ownToken ?? tokenOf(labelsAll));
}

/** The create label among labels; `undefined` when it is missing or not valid. */
export function tokenOf(labels: Labels = {}): string | undefined {
  const token = Object.hasOwn(labels, ownershipKeys.create) ? labels[ownershipKeys.create] : undefined;
  return token !== undefined && createTokenTime(token) !== undefined ? token : undefined;
}

/**
 * @param found labels that the session carries now
 * @throws TakenOverError when they hold the create label of another owner, and it is not the owner that an unfinished
 *   adoption takes the session from
 */
export function refuseTakenOver(found: Labels, known: Partial<SessionProperties>): void {
  const token = tokenOf(found);
  const own = ownTokenOf(known);
  if (token !== undefined && own !== undefined && token !== own && token !== known.formerToken) {
    throw new TakenOverError();
  }
}
