import { CleanError } from "../api/errors";
import type { Labels } from "../api/labels";
import { newStackId, ownershipKeys } from "../lifecycle/ownership";
import type { HostedKind } from "./hosted-kind";

/**
 * The kind `AgbStackIdentity`: a random id that lives in the state and nowhere else. It needs no account and calls nobody,
 * so it works with any settings.
 */
export const stackIdentityKind: HostedKind = {
  check: async (inputs) => ({ inputs, problems: [] }),
  diff: () => ({ changed: [], replaces: [], isUnfinished: false, deleteBeforeReplace: false }),
  create: async () => ({ id: newStackId(), outputs: {} }),
  read: async (_id, known) => ({ outputs: known, inputs: known }),
  update: async () => ({}),
  // The state forgets the id now, and a sweep needs it for what a killed run may have left behind.
  delete: async (id, _known, caller) =>
    caller.say(`this stack had the id ${id}. After a killed run, find its leftovers with --stack-id ${id}.`),
};

/** The session would carry no id of its stack, because this run leaves the resource out that holds it. */
export class MissingStackIdError extends CleanError {
  constructor() {
    super(
      "the stack has no identity yet, and `--target` leaves out the resource that holds it. Run `pulumi up` once without " +
        "`--target`, or add `--target '**AgbStackIdentity::agb'`",
    );
  }
}

/**
 * Refuses labels without the id of the stack: no sweep would ever know whose session it is. The engine drops a value that
 * is still unknown in an update.
 *
 * @throws MissingStackIdError
 */
export function requireStackId(labelsAll: Labels): void {
  if (labelsAll[ownershipKeys.stackId] === undefined) {
    throw new MissingStackIdError();
  }
}
