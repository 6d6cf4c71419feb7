import {
  findOwnedSessions,
  judgeOrphan,
  leaveOrphan,
  type OwnedSession,
  type Verdict,
  verdictLine,
} from "../lifecycle/sweep";
import type { ReleasingJob } from "./job";
import { readOwnState, repositoryOf } from "./own-state";

/** How to treat sessions that no state knows. */
export interface OrphanRules {
  /** Younger ones, and those of unknown age, are left; `undefined` when age does not matter. */
  readonly minimumAgeMs: number | undefined;
  readonly release: boolean;
  /**
   * Whether the stack is to be there, so that its state tells what is known, or gone. When that is not so (any more),
   * all of them are left: a new run has made it again, or another one is taking it down.
   */
  readonly stack: "here" | "gone";
  /** Whether sessions without a repository's label are this one's too: when the stack is, or was just now, here. */
  readonly includesUnlabelled: boolean;
}

/** Tells whether a session is certainly another repository's: no job of this one has any business with it. */
export function isAnotherRepositorys(
  session: Pick<OwnedSession, "repository">,
  repository: string | undefined,
): boolean {
  return session.repository !== undefined && repository !== undefined && session.repository !== repository;
}

/** Releases the sessions that carry a stack's labels and that its state does not know. */
export async function releaseOrphans(job: ReleasingJob, stack: string, rules: OrphanRules): Promise<Verdict[]> {
  const sessions = await findOwnedSessions(job.client, { project: job.project, stack });
  return judgeSessions(job, stack, sessions, rules);
}

/**
 * Judges sessions of one stack that were found before. The state is read only now: what a run made before is in it, so
 * what is not in it is nobody's, unless that run is at it this very moment.
 *
 * @throws Error when the state cannot be read, or is another project's, stack's or repository's
 */
export async function judgeSessions(
  job: ReleasingJob,
  stack: string,
  sessions: readonly OwnedSession[],
  rules: OrphanRules,
): Promise<Verdict[]> {
  const { client, clock, output } = job;
  const candidates = sessions.filter((session) => !isAnotherRepositorys(session, job.repository));
  if (candidates.length === 0) {
    return [];
  }
  const state = await readOwnState(job, stack);
  if ((state === undefined) !== (rules.stack === "gone")) {
    output.say(`${stack} ${state === undefined ? "is gone" : "exists again"}; its sessions are left.`);
    return [];
  }
  const repository = repositoryOf(job, state);
  const orphans = candidates.filter(({ sessionId }) => !state?.sessionIds.has(sessionId));
  const verdicts: Verdict[] = [];
  for (const orphan of orphans) {
    job.signal.throwIfAborted();
    const doubt = doubtOf(orphan, repository, rules);
    const verdict = doubt === undefined ? await judgeOrphan(client, orphan, rules, clock) : leaveOrphan(orphan, doubt);
    output.say(verdictLine(verdict));
    verdicts.push(verdict);
  }
  return verdicts;
}

/** Why it is not certain that a session is this repository's; `undefined` when it is. */
function doubtOf(
  session: OwnedSession,
  repository: string | undefined,
  { includesUnlabelled }: OrphanRules,
): string | undefined {
  if (session.repository === undefined) {
    return includesUnlabelled ? undefined : "its stack is not here, and no label tells which repository it is of";
  }
  return session.repository === repository
    ? undefined
    : `it is of the repository ${session.repository}, and which one this job is of is not known`;
}
