import { CleanError } from "../api/errors";
import type { Labels } from "../api/labels";
import { newStackId, ownershipKeys } from "../lifecycle/ownership";
import type { HostedKind } from "./hosted-kind";
import type { Call } from "./kind";

/**
 * The kind `AgbStackIdentity`: a random id that exists only in the state. It needs no account and makes no calls, so it
 * works with any settings.
 */
export const stackIdentityKind: HostedKind = {
  check: async (inputs) => ({ inputs, problems: [] }),
  diff: async () => ({ changed: [], replaces: [], isUnfinished: false, deleteBeforeReplace: false }),
  create: async () => ({ id: newStackId(), outputs: {} }),
  read: async (_id, known) => ({ outputs: known, inputs: known }),
  update: async () => ({}),
  // The id now leaves the state. A sweep still needs it to find what a killed run may have left behind.
  delete: async (id, _known, caller) =>
    caller.say(`this stack had the id ${id}. After a killed run, find its leftovers with --stack-id ${id}.`),
};

/** The session would not carry its stack's id, because this run leaves out the resource that holds it. */
export class MissingStackIdError extends CleanError {
  constructor() {
    super(
      "the stack has no identity yet, and `--target` leaves out the resource that holds it. Run `pulumi up` once without " +
        "`--target`, or add `--target '**AgbStackIdentity::agb'`",
    );
  }
}

/**
 * Refuses labels without the stack's id, because no sweep could tell whose session it is. The id is missing when it is
 * still unknown in an update: the engine drops such a value. Where the host knows the stack, no program passes the id.
 *
 * @throws MissingStackIdError
 */
export function requireStackId(labelsAll: Labels, { stack }: Pick<Call, "stack">): void {
  if (stack === undefined && labelsAll[ownershipKeys.stackId] === undefined) {
    throw new MissingStackIdError();
  }
}
