import * as pulumi from "@pulumi/pulumi";
import { typeTokens } from "../type-tokens";
import { promiseOf } from "./output-promise";
import { providerReference } from "./reference";
import { sharedByCopies } from "./shared-by-copies";

/** Name of the resource, one in each stack. */
const name = "agb";

/**
 * Gives a stack a random id of its own. The first `up` creates it, and the state keeps it as this resource's `id`. Every
 * session carries it as the label `pulumi-stack-id`. A sweep uses it to distinguish the stack's sessions from those of another
 * stack with the same names. AGB does not see this resource.
 */
class AgbStackIdentity extends pulumi.CustomResource {
  constructor() {
    super(typeTokens.stackIdentity.dynamic, name, { __provider: providerReference("stackIdentity") });
  }
}

/**
 * Returns the id of the running stack.
 *
 * It is a promise, not an output: an output would store the dependency with each session, twice and longer than the id.
 *
 * @returns the id, or Pulumi's unknown value in the first preview and when `--target` leaves the resource out
 */
export async function stackId(): Promise<string> {
  return (await promiseOf(stackIdentity().id)) || pulumi.runtime.unknownValue;
}

/** Returns the resource that holds the id of the running stack. The first call declares it. */
export function stackIdentity(): pulumi.CustomResource {
  const identities = stackIdentities();
  // An Automation API program may run several stacks in one process. Under Pulumi's mocks there is no stack resource.
  const stack = pulumi.runtime.getStackResource() ?? pulumi.runtime.getMonitor() ?? identities;
  const known = identities.get(stack) ?? new AgbStackIdentity();
  identities.set(stack, known);
  return known;
}

/** Shared by all copies of this package in a program, because Pulumi refuses two resources of one name. */
function stackIdentities(): WeakMap<object, pulumi.CustomResource> {
  return sharedByCopies("stack-identities");
}
