import { findOwnedSessions, judgeOrphan, type OwnedSession, type Verdict, verdictLine } from "../lifecycle/sweep";
import type { ReleasingJob } from "./job";
import { qualifyStack } from "./stack-name";

/** How to treat sessions that no state knows. */
export interface OrphanRules {
  /** Younger ones, and those of unknown age, are left; `undefined` when age does not matter. */
  readonly minimumAgeMs: number | undefined;
  readonly release: boolean;
  /** Leaves all of them when the stack exists: a new run has made it again. */
  readonly onlyWhenGone?: boolean;
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
 * @throws Error when the state cannot be read or is another stack's
 */
export async function judgeSessions(
  { client, pulumi, project, organization, clock, output }: ReleasingJob,
  stack: string,
  sessions: readonly OwnedSession[],
  { minimumAgeMs, release, onlyWhenGone = false }: OrphanRules,
): Promise<Verdict[]> {
  if (sessions.length === 0) {
    return [];
  }
  const state = await pulumi.exportState(qualifyStack(stack, organization));
  if (state?.name !== undefined && (state.name.project !== project || state.name.stack !== stack)) {
    throw new Error(`the state of ${stack} is that of ${state.name.project}/${state.name.stack}`);
  }
  if (state !== undefined && onlyWhenGone) {
    output.say(`${stack} exists again; its sessions are left.`);
    return [];
  }
  const orphans = sessions.filter(({ sessionId }) => !state?.sessionIds.has(sessionId));
  const verdicts: Verdict[] = [];
  for (const orphan of orphans) {
    const verdict = await judgeOrphan(client, orphan, { minimumAgeMs, release }, clock);
    output.say(verdictLine(verdict));
    verdicts.push(verdict);
  }
  return verdicts;
}
