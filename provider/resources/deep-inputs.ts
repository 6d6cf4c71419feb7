import type * as pulumi from "@pulumi/pulumi";

/** A value that may be an output of another resource at any depth. */
export type DeepInputs<Value> = Value extends object
  ? { readonly [Name in keyof Value]: pulumi.Input<DeepInputs<Value[Name]>> }
  : Value;
