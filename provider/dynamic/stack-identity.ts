import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "../api/labels";
import { newStackId, ownershipKeys } from "../lifecycle/ownership";
import type { Properties } from "./properties";

/**
 * The life cycle of a stack's identity: a random id that lives in the state and nowhere else. It needs no account and
 * calls nobody, so it works with any settings.
 */
export const stackIdentityProvider: pulumi.dynamic.ResourceProvider = {
  create: async () => ({ id: newStackId(), outs: {} }),
  diff: async () => ({ changes: false }),
  read: async (id: string, props: Properties = {}) => ({ id, props, inputs: props }),
};

/** The session would carry no id of its stack, because this run leaves the resource out that holds it. */
export class MissingStackIdError extends Error {
  override readonly name = "MissingStackIdError";

  constructor() {
    super(
      "the stack has no identity yet, and `--target` leaves out the resource that holds it. Run `pulumi up` once without " +
        "`--target`, or target the resource `agb` of the type AgbStackIdentity as well",
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
