import { type ResourceState, type StackState, sessionsOf } from "../support/stack-state";

/** Size of a stack's sessions in its state. */
export interface StateSize {
  /** Mean bytes of a session as compact JSON, without the source position and the stack trace that the engine adds. */
  readonly compactBytes: number;
  /** Mean bytes that the source position and the stack trace add to it. */
  readonly traceBytes: number;
  /** Mean bytes of a session's inputs and outputs as compact JSON. The provider decides only this part. */
  readonly propertyBytes: number;
  /** Characters of the longest `__provider`. A plugin has none. */
  readonly providerCharacters: number;
}

/** Measures the sessions in an exported state. */
export function sizeOfResources(state: StackState): StateSize {
  const sessions = Object.values(sessionsOf(state));
  const compactBytes = meanBytes(sessions.map(withoutTraces));
  return {
    compactBytes,
    traceBytes: meanBytes(sessions) - compactBytes,
    propertyBytes: meanBytes(sessions.map(({ inputs, outputs }) => ({ inputs, outputs }))),
    providerCharacters: Math.max(...sessions.map(({ outputs }) => String(outputs?.["__provider"] ?? "").length)),
  };
}

function withoutTraces(resource: ResourceState): object {
  const { stackTrace: _, sourcePosition: __, ...rest } = resource as ResourceState & Record<string, unknown>;
  return rest;
}

function meanBytes(values: readonly object[]): number {
  const bytes = values.map((value) => Buffer.byteLength(JSON.stringify(value)));
  return bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
}
