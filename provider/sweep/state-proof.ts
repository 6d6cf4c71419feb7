import type { Labels } from "../api/labels";
import { ownershipKeys } from "../lifecycle/ownership";
import { type StackState, type StateSession, secretText } from "../pulumi/stack-state";

/** What the state of a stack proves about sessions that it does not know. */
export interface StateProof {
  /** Ids of stacks whose states were read, or that the user named. */
  readonly stackIds: ReadonlySet<string>;
  /** Ids of providers in the state. They prove something only about sessions with the names of the stack. */
  readonly providerIds: ReadonlySet<string>;
  /** The names of the stack; `undefined` when no state was read, or it holds no resource that would tell. */
  readonly name: StackState["name"];
  /** Create labels of the sessions in the state. Another session with one of them is a twin from a lost reply. */
  readonly createTokens: ReadonlySet<string>;
}

/**
 * Reads what the state of a stack proves: its ids, and the create labels of its sessions.
 *
 * @param state `undefined` when there is no such stack; that proves nothing
 */
export function proofOf(state: StackState | undefined): StateProof {
  const labelSets = shownLabels(createdSessions(state));
  return {
    stackIds: state?.stackIds ?? new Set(),
    providerIds: state?.providerIds ?? new Set(),
    name: state?.name,
    createTokens: valuesOf(ownershipKeys.create, labelSets),
  };
}

/** The sessions in a state that the stack created, not those that it only looks up. */
export function createdSessions(state: StackState | undefined): StateSession[] {
  return (state?.sessions ?? []).filter(({ isExternal }) => !isExternal);
}

/** The labels of those sessions whose labels the state does not keep secret as a whole. */
export function shownLabels(sessions: readonly StateSession[]): Labels[] {
  return sessions.flatMap(({ labels }) => (labels === secretText ? [] : [labels]));
}

/** The repositories that sessions with these labels are preview environments of. */
export function repositoriesOf(labelSets: readonly Labels[]): ReadonlySet<string> {
  return valuesOf(ownershipKeys.repository, labelSets);
}

function valuesOf(key: string, labelSets: readonly Labels[]): ReadonlySet<string> {
  return new Set(labelSets.flatMap((labels) => labels[key] ?? []));
}
