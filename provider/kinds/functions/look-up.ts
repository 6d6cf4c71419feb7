/**
 * What a look-up function is: its inputs, its outputs and what it asks AGB. Like kinds, functions know nothing of the host that
 * serves them. What all of them share is in `function-calls.ts`.
 */
import type { AgbClient } from "../../api/client";
import type { KnownSecret } from "../../api/known-secrets";
import type { Advice, Property, StateOf } from "../kind";

/** The declaration of one input or output. Check and reference follow from it. */
export interface FunctionProperty extends Pick<Property, "description" | "type" | "example"> {
  /** Whether the value is secret. Default: false. */
  readonly isSecret?: boolean;
}

/** The declarations of all inputs, or of all outputs, by name. */
export type FunctionProperties = Readonly<Record<string, FunctionProperty>>;

/** What stands for "AGB says that there is none". */
export type Missing = "missing";

/** One look-up function. */
export interface LookUp<Inputs extends FunctionProperties, Outputs extends FunctionProperties> {
  /** Name of the function as programs know it, such as `getAgbSession`. */
  readonly name: string;
  /** What AGB calls the thing that it looks up, such as `session`. */
  readonly noun: string;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  /**
   * By what it finds the thing. An id is valid in one account only. So a look-up by id may use the fallback key, and others may
   * not: they would find another account's things.
   */
  readonly by: "id" | "name" | "labels";
  /** What it does, for messages, such as `look up session s-1`. */
  describe(inputs: StateOf<Inputs>): string;
  /** Inputs that may be secret, so that no message repeats what AGB says of them. */
  secrets?(inputs: StateOf<Inputs>): KnownSecret[];
  /** What to do when there is none. */
  readonly missing?: Advice;
  call(client: AgbClient, inputs: StateOf<Inputs>): Promise<StateOf<Outputs> | Missing>;
}

/** Declares a look-up function. Its types follow from the declarations of its inputs and outputs. */
export function lookUp<Inputs extends FunctionProperties, Outputs extends FunctionProperties>(
  declaration: LookUp<Inputs, Outputs>,
): LookUp<Inputs, Outputs> {
  return declaration;
}

/** The inputs of a function. */
export type InputsOf<Declared extends { readonly inputs: FunctionProperties }> = StateOf<Declared["inputs"]>;

/** What a function returns. */
export type ResultOf<Declared extends { readonly outputs: FunctionProperties }> = StateOf<Declared["outputs"]>;
