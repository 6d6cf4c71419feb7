import { ownershipKeys } from "../lifecycle/ownership";
import type { ReleaseRight } from "../lifecycle/sweep";
import { type StackState, secretText } from "../pulumi/stack-state";

/**
 * What the state of a stack proves: its id, and the create labels of its sessions.
 *
 * @param state `undefined` when there is no such stack; it then proves nothing
 * @param includesUnidentified see `ReleaseRight`
 */
export function releaseRightOf(state: StackState | undefined, includesUnidentified: boolean): ReleaseRight {
  const own = (state?.sessions ?? []).filter(({ isExternal }) => !isExternal);
  const tokens = own.flatMap(({ labels }) => (labels === secretText ? [] : (labels[ownershipKeys.create] ?? [])));
  return { stackIds: state?.stackIds ?? new Set(), createTokens: new Set(tokens), includesUnidentified };
}
