import type { AgbClient } from "../api/client";
import { getLabels } from "../api/labels";
import { listSessions } from "../api/sessions";
import { createTokenTime, ownershipKeys } from "./ownership";
import { unlessGone } from "./unless-gone";

/** The stack whose orphans are looked for. */
export interface StackName {
  readonly project: string;
  readonly stack: string;
}

/** A session of the stack that no state knows. */
export interface Orphan {
  readonly sessionId: string;
  /** Name of the resource that it was made for. */
  readonly resource: string | undefined;
  /** Time of its create, `undefined` when its create label is missing or unreadable. */
  readonly createdAt: Date | undefined;
}

/**
 * Finds the sessions of a stack that its state does not know, from every page of the list. The labels of each are read
 * again: a list's filter alone is not trusted with a release.
 *
 * @param known ids of the sessions that the state knows
 */
export async function findOrphans(
  client: AgbClient,
  { project, stack }: StackName,
  known: ReadonlySet<string>,
): Promise<Orphan[]> {
  const owner = { [ownershipKeys.project]: project, [ownershipKeys.stack]: stack };
  const orphans: Orphan[] = [];
  for await (const { sessionId } of listSessions(client, owner)) {
    const labels = known.has(sessionId) ? undefined : await unlessGone(getLabels(client, sessionId));
    if (labels?.[ownershipKeys.project] === project && labels[ownershipKeys.stack] === stack) {
      orphans.push({
        sessionId,
        resource: labels[ownershipKeys.resource],
        createdAt: createTokenTime(labels[ownershipKeys.create] ?? ""),
      });
    }
  }
  return orphans;
}

/** Tells whether an orphan is certainly older than the limit; one of unknown age is not. */
export function isOlderThan({ createdAt }: Orphan, minimumAgeMs: number, nowMs: number): boolean {
  return createdAt !== undefined && nowMs - createdAt.getTime() >= minimumAgeMs;
}
