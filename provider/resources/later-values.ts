import * as pulumi from "@pulumi/pulumi";

/** Whether a value is one that the program cannot read yet: an output or a promise. */
export function isLater(value: unknown): value is pulumi.Output<unknown> | Promise<unknown> {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}
