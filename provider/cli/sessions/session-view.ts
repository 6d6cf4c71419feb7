import type { Labels } from "../../api/labels";
import { printable } from "../../api/outside-text";
import type { FoundSession } from "../../lifecycle/found-sessions";
import { createTokenTime, isReserved, ownershipKeys } from "../../lifecycle/ownership";
import { type StackState, secretText } from "../../pulumi/stack-state";
import { readOwner } from "../../sweep/owned-sessions";

/** A session as `--output json` shows it. Programs read it, so fields are only added. */
export interface SessionView {
  readonly sessionId: string;
  /** AGB's word, such as `RUNNING`, or an empty string. */
  readonly status: string;
  /** Time of the create, from the session's create label; `null` when it has none. */
  readonly createdAt: string | null;
  /** The stack and resource that created it; `null` when no stack did. */
  readonly owner: {
    readonly project: string;
    readonly stack: string;
    readonly stackId: string | null;
    readonly resource: string | null;
  } | null;
  /** All labels. `[secret]` stands for a value that the state of the named stack keeps secret. */
  readonly labels: Labels;
}

/** Describes a session. @param state hides the labels that it keeps secret */
export function viewSession({ sessionId, status, labels }: FoundSession, state?: StackState): SessionView {
  const owner = readOwner(sessionId, labels);
  const token = Object.hasOwn(labels, ownershipKeys.create) ? labels[ownershipKeys.create] : undefined;
  return {
    sessionId,
    status,
    createdAt: createTokenTime(token ?? "")?.toISOString() ?? null,
    owner: owner
      ? {
          project: owner.project,
          stack: owner.stack,
          stackId: owner.stackId ?? null,
          resource: owner.resource ?? null,
        }
      : null,
    labels: withoutSecrets(sessionId, labels, state),
  };
}

function withoutSecrets(sessionId: string, labels: Labels, state: StackState | undefined): Labels {
  const known = state?.sessions.find((session) => session.sessionId === sessionId)?.labels;
  if (known === undefined) {
    return labels;
  }
  const isSecret = (key: string) =>
    known === secretText ? !isReserved(key) : Object.hasOwn(known, key) && known[key] === secretText;
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, isSecret(key) ? secretText : value]));
}

/** Project and stack of a session; empty when no stack created it. */
export function stackOf({ owner }: SessionView): string {
  return owner === null ? "" : printable(`${owner.project}/${owner.stack}`);
}

/** The labels that are not the provider's own, such as `team=web,tier=1`. */
export function ownLabelsOf({ labels }: SessionView): string {
  return Object.entries(labels)
    .filter(([key]) => !isReserved(key))
    .map(([key, value]) => printable(`${key}=${value}`))
    .join(",");
}
