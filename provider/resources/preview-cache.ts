import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { parseUrn } from "../urn";
import { promiseOf } from "./output-promise";
import { stackId } from "./stack-identity";

/**
 * Returns the name of a component's own context, such as `shop-pr-12-preview-0123456789abcdef`: the names of the project, the
 * stack and the component, and the id of the stack. The id tells it apart from those of other stacks with the same names. It is
 * the same in each `up`, so a context that a killed run has left is found again.
 *
 * It is a promise, not an output: an output of the component's URN would make the context wait for all parts of the component.
 *
 * @returns Pulumi's unknown value while the stack has no id yet, in the first preview
 */
export async function cacheName(component: pulumi.Resource, name: string): Promise<string> {
  const [id, urn] = await Promise.all([stackId(), promiseOf(component.urn)]);
  if (id === pulumi.runtime.unknownValue) {
    return id;
  }
  return [pulumi.getProject(), pulumi.getStack(), name, ...digestOfParents(urn), id].join("-");
}

/** Pulumi allows two components of the same name if the types of their parents differ. */
function digestOfParents(urn: string): string[] {
  const { parentType } = parseUrn(urn);
  return parentType === undefined ? [] : [createHash("sha256").update(parentType).digest("hex").slice(0, 8)];
}
