import type { AgbClient } from "../api/client";
import { CleanError } from "../api/errors";
import { getLabels, type Labels } from "../api/labels";
import { createTokenTime, ownershipKeys } from "../lifecycle/ownership";

/** What a state says about the create label of its session. */
export interface TokenState {
  /** A session that was looked up has none. */
  readonly imageId?: string | undefined;
  readonly labelsAll?: Labels | undefined;
  /** See `sessionProperties`. */
  readonly ownToken?: string | undefined;
  /** See `sessionProperties`. */
  readonly formerToken?: string | undefined;
}

/** The session carries the create label of another adoption, so another resource owns it now. */
export class TakenOverError extends CleanError {
  constructor() {
    super("another resource took over the session by `adopt` or an import, so its labels were not changed");
  }
}

/**
 * The create label that shows that a session belongs to this resource. `undefined` when the session is only looked up or
 * no valid label is known.
 */
export function ownTokenOf({ imageId, ownToken, labelsAll }: TokenState): string | undefined {
  return imageId === undefined ? undefined : (ownToken ?? tokenOf(labelsAll));
}

/** The create label among labels; `undefined` when it is missing or invalid. */
export function tokenOf(labels: Labels = {}): string | undefined {
  const token = Object.hasOwn(labels, ownershipKeys.create) ? labels[ownershipKeys.create] : undefined;
  return token !== undefined && createTokenTime(token) !== undefined ? token : undefined;
}

/**
 * Makes sure that no other resource has taken the session over.
 *
 * @throws TakenOverError when the session carries another owner's create label; that of the owner from which an unfinished
 *   adoption takes it is allowed
 */
export async function refuseTakenOver(client: AgbClient, id: string, known: TokenState): Promise<void> {
  const token = tokenOf(await getLabels(client, id));
  const own = ownTokenOf(known);
  if (token !== undefined && own !== undefined && token !== own && token !== known.formerToken) {
    throw new TakenOverError();
  }
}
