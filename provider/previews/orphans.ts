import { findOwnedSessions, type OwnedSession } from "../sweep/owned-sessions";
import { type OrphanResult, type ReleaseRight, releaseOrphan, resultLine } from "../sweep/release-orphan";
import { proofOf, type StateProof } from "../sweep/state-proof";
import type { ReleasingJob } from "./job";
import { readOwnState, repositoryOf } from "./own-state";

/** Which of a stack's sessions to release. If the stack is not as expected, all sessions are left. */
export type OrphanOptions = {
  /** Leaves younger sessions; `undefined` when age does not matter. */
  readonly minimumAgeMs: number | undefined;
  /** Whether to release them or only to say so. */
  readonly release: boolean;
} & ExpectedStack;

type ExpectedStack =
  /** The stack exists, so its state shows which sessions it knows. */
  | { readonly stack: "here" }
  /**
   * The stack is gone. What its state proved, and the repository when its request is known to be closed, allow a
   * release.
   */
  | { readonly stack: "gone"; readonly proof: StateProof; readonly closedRepository: string | undefined };

/** Tells whether a session certainly belongs to another repository. No job of this repository may touch it. */
export function belongsToOtherRepository(
  session: Pick<OwnedSession, "repository">,
  repository: string | undefined,
): boolean {
  return session.repository !== undefined && repository !== undefined && session.repository !== repository;
}

/** Releases the sessions that carry a stack's labels and that its state does not know. */
export async function releaseOrphans(
  job: ReleasingJob,
  stack: string,
  options: OrphanOptions,
): Promise<OrphanResult[]> {
  const sessions = await findOwnedSessions(job.client, { project: job.project, stack });
  return releaseUnknown(job, stack, sessions, options);
}

/**
 * Releases those sessions on an earlier list that the stack's state does not know. Reads the state after the list was made.
 * The state then knows every session on the list, except orphans and sessions of a run that is still active.
 *
 * @throws Error when the state cannot be read, or belongs to another project, stack or repository
 */
export async function releaseUnknown(
  job: ReleasingJob,
  stack: string,
  sessions: readonly OwnedSession[],
  options: OrphanOptions,
): Promise<OrphanResult[]> {
  const { client, clock, output, includesUnidentified } = job;
  const candidates = sessions.filter((session) => !belongsToOtherRepository(session, job.repository));
  if (candidates.length === 0) {
    return [];
  }
  const state = await readOwnState(job, stack);
  if ((state === undefined) !== (options.stack === "gone")) {
    // Another run has recreated the stack, or is removing it.
    output.say(`${stack} ${state === undefined ? "is gone" : "exists again"}. Its sessions are left.`);
    return [];
  }
  const repository = repositoryOf(job, state);
  const right: ReleaseRight = {
    ...(options.stack === "gone" ? options.proof : proofOf(state)),
    repositories: new Set(repository === undefined ? [] : [repository]),
    closedRepository: options.stack === "gone" ? options.closedRepository : undefined,
    includesUnidentified,
  };
  const { minimumAgeMs, release } = options;
  const results: OrphanResult[] = [];
  for (const orphan of candidates.filter(({ sessionId }) => !state?.sessionIds.has(sessionId))) {
    job.signal.throwIfAborted();
    const result = await releaseOrphan(client, orphan, { minimumAgeMs, release, right }, clock);
    output.say(resultLine(result));
    results.push(result);
  }
  return results;
}
