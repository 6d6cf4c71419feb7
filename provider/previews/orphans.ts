import {
  findOwnedSessions,
  leaveOrphan,
  type OwnedSession,
  type ReleaseOptions,
  type ReleaseRight,
  releaseOrphan,
  type Verdict,
  verdictLine,
} from "../lifecycle/sweep";
import type { ReleasingJob } from "./job";
import { readOwnState, repositoryOf } from "./own-state";
import { releaseRightOf } from "./release-right";

/** How to treat sessions that no state knows. */
export interface OrphanRules extends Omit<ReleaseOptions, "right"> {
  /**
   * Whether the stack is to be there, so that its state tells what is known, or gone. When that is not so (any more),
   * all of them are left: a new run has created it again, or another one is taking it down.
   */
  readonly stack: "here" | "gone";
  /** What proves that they may be released where the stack is gone; where it is here, its state does. */
  readonly right: ReleaseRight;
}

/** Tells whether a session is certainly another repository's: no job of this repository may touch it. */
export function belongsToOtherRepository(
  session: Pick<OwnedSession, "repository">,
  repository: string | undefined,
): boolean {
  return session.repository !== undefined && repository !== undefined && session.repository !== repository;
}

/** Releases the sessions that carry a stack's labels and that its state does not know. */
export async function releaseOrphans(job: ReleasingJob, stack: string, rules: OrphanRules): Promise<Verdict[]> {
  const sessions = await findOwnedSessions(job.client, { project: job.project, stack });
  return releaseUnknown(job, stack, sessions, rules);
}

/**
 * Releases those of a stack's sessions that its state does not know, from a list that was made before. The state is read
 * only now: what a run created before is in it, so what is not in it is nobody's, unless that run is still active.
 *
 * @throws Error when the state cannot be read, or is another project's, stack's or repository's
 */
export async function releaseUnknown(
  job: ReleasingJob,
  stack: string,
  sessions: readonly OwnedSession[],
  rules: OrphanRules,
): Promise<Verdict[]> {
  const { client, clock, output } = job;
  const candidates = sessions.filter((session) => !belongsToOtherRepository(session, job.repository));
  if (candidates.length === 0) {
    return [];
  }
  const state = await readOwnState(job, stack);
  if ((state === undefined) !== (rules.stack === "gone")) {
    output.say(`${stack} ${state === undefined ? "is gone" : "exists again"}; its sessions are left.`);
    return [];
  }
  const repository = repositoryOf(job, state);
  const right = state === undefined ? rules.right : releaseRightOf(state, rules.right.includesUnidentified);
  const orphans = candidates.filter(({ sessionId }) => !state?.sessionIds.has(sessionId));
  const verdicts: Verdict[] = [];
  for (const orphan of orphans) {
    job.signal.throwIfAborted();
    const verdict =
      orphan.repository === undefined || orphan.repository === repository
        ? await releaseOrphan(client, orphan, { ...rules, right }, clock)
        : leaveOrphan(orphan, `it is of the repository ${orphan.repository}, and this job's repository is not known`);
    output.say(verdictLine(verdict));
    verdicts.push(verdict);
  }
  return verdicts;
}
