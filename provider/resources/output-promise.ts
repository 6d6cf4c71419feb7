import type * as pulumi from "@pulumi/pulumi";

/**
 * The value of an output as a promise: Pulumi's unknown value, or `undefined`, while a preview does not know it. Unlike an
 * output, it stores no dependency. Pulumi's own resource code reads ids and URNs like this; its types leave the method out.
 */
export function promiseOf<Value>(output: pulumi.Output<Value>): Promise<Value> {
  return (output as unknown as { promise(): Promise<Value> }).promise();
}
