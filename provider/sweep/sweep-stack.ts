import type { AgbClient } from "../api/client";
import { describeService, isSameService } from "../api/endpoint";
import type { Clock } from "../lifecycle/wait";
import { CodedError } from "../messages/coded-error";
import type { StackState } from "../pulumi/stack-state";
import { findOwnedSessions, type OwnedSession, type StackName } from "./owned-sessions";
import { type OrphanResult, type ReleaseRight, releaseOrphan } from "./release-orphan";
import { createdSessions, proofOf, repositoriesOf, shownLabels } from "./state-proof";

/** What to sweep, and how. */
export interface StackSweepOptions {
  readonly name: StackName;
  /** The stack's state; `undefined` when the user says that the stack is gone. */
  readonly state: StackState | undefined;
  /** Base URL of the service that the client asks. */
  readonly baseUrl: string;
  /** Stack ids that the user named, in addition to the one in the state. */
  readonly stackIds: readonly string[];
  /** Id of the repository that this process works for; `undefined` when it is not known. */
  readonly repository: string | undefined;
  readonly includesUnidentified: boolean;
  readonly minimumAgeMs: number;
  /** Whether to release the orphans or only to say so. */
  readonly release: boolean;
}

/** What a sweep of a stack found and did. */
export interface StackSweepResult {
  readonly orphans: readonly OrphanResult[];
  /** Stack ids of the orphans, when neither the state nor the user named one: the user can name them. */
  readonly unprovenStackIds: readonly string[];
}

/**
 * Releases the sessions of a stack that its state does not know.
 *
 * @throws CodedError when no session of the state was created at the service that was asked
 */
export async function sweepStack(
  client: AgbClient,
  options: StackSweepOptions,
  clock: Clock,
): Promise<StackSweepResult> {
  const { name, state, baseUrl, stackIds, repository, includesUnidentified, minimumAgeMs, release } = options;
  const proof = proofOf(state);
  const right: ReleaseRight = {
    ...proof,
    stackIds: new Set([...proof.stackIds, ...stackIds]),
    repositories: findRepositories(state, repository),
    includesUnidentified,
  };
  const found = await findOrphans(client, name, idsOf(right), state?.sessionIds ?? new Set());
  if (state !== undefined) {
    requireSameService(state, baseUrl, client.emulatorId);
  }
  const orphans: OrphanResult[] = [];
  for (const orphan of found) {
    orphans.push(await releaseOrphan(client, orphan, { minimumAgeMs, release, right }, clock));
  }
  const unproven = idsOf(right).size > 0 ? [] : found.flatMap(({ stackId }) => stackId ?? []);
  return { orphans, unprovenStackIds: [...new Set(unproven)] };
}

function idsOf({ stackIds, providerIds }: ReleaseRight): ReadonlySet<string> {
  return new Set([...stackIds, ...providerIds]);
}

/** The sessions with the stack's names, and those with its ids: sessions of a renamed stack have its former name. */
async function findOrphans(
  client: AgbClient,
  name: StackName,
  stackIds: ReadonlySet<string>,
  known: ReadonlySet<string>,
): Promise<OwnedSession[]> {
  const found = await findOwnedSessions(client, name, known);
  for (const stackId of stackIds) {
    const seen = new Set([...known, ...found.map(({ sessionId }) => sessionId)]);
    found.push(...(await findOwnedSessions(client, { stackId }, seen)));
  }
  return found;
}

/** The repositories that this sweep may act for: the process's own, and those whose sessions the stack created. */
function findRepositories(state: StackState | undefined, repository: string | undefined): ReleaseRight["repositories"] {
  const ofSessions = repositoriesOf(shownLabels(createdSessions(state)));
  const found = new Set([...(repository === undefined ? [] : [repository]), ...ofSessions]);
  // By hand and without sessions in the state, only the stack's id can prove anything.
  return found.size === 0 ? "any" : found;
}

/** A service that the stack does not use knows none of its sessions. "Nothing is left" would then be false. */
function requireSameService(state: StackState, baseUrl: string, emulatorId: string | undefined): void {
  const own = createdSessions(state).filter(({ labels }) => Object.keys(labels).length > 0);
  const [first] = own;
  if (first !== undefined && !own.some(({ service }) => isSameService(service, baseUrl, emulatorId))) {
    throw new CodedError(
      `The sessions in the state were created at ${describeService(first.service)}, but the sweep asked ${baseUrl}. Nothing was ` +
        "released. Set agb:endpoint in the stack's configuration, or AGB_ENDPOINT, to the service of the stack.",
      "AGB610",
    );
  }
}
