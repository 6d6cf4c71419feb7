import { cleanProperties } from "./clean-properties";
import type { Properties } from "./hosted-kind";
import type { PropertiesOfKind, ResourceKind } from "./kind";

/** The properties that the state holds of a resource: those that its kind declares, in a form that Pulumi can carry. */
export function outputsOf<State extends object>(
  { properties }: ResourceKind<State>,
  state: Partial<State>,
): Properties {
  const held = state as Properties;
  return cleanProperties(Object.fromEntries(Object.keys(properties).map((name) => [name, held[name]])));
}

/** The inputs that would have led to these outputs. */
export function inputsOf<State extends object>(kind: ResourceKind<State>, outputs: Properties): Properties {
  const inputs = inputNames(kind.properties)
    .filter((name) => outputs[name] !== undefined)
    .map((name) => [name, outputs[name]]);
  return kind.inputsOf?.(Object.fromEntries(inputs)) ?? Object.fromEntries(inputs);
}

/** Names of all properties that programs and provider do not declare. */
export function outputNames(properties: PropertiesOfKind): string[] {
  return Object.keys(properties).filter((name) => properties[name]?.change === "output");
}

/** Names of all properties that are not outputs. */
export function inputNames(properties: PropertiesOfKind): string[] {
  return Object.keys(properties).filter((name) => properties[name]?.change !== "output");
}
