import type { Forge } from "../forge/forge";
import {
  findOwnedSessions,
  leaveOrphan,
  type OwnedSession,
  type ReleaseRight,
  releaseOrphan,
  verdictLine,
} from "../lifecycle/sweep";
import { takeDown } from "./down";
import type { ReleasingJob } from "./job";
import { belongsToOtherRepository, releaseUnknown } from "./orphans";
import { readOwnState } from "./own-state";
import { releaseRightOf } from "./release-right";
import { requestOfListedStack, requestOfStack, stackOfRequest } from "./stack-name";
import { sweepReport } from "./sweep-report";
import {
  judgeRequest,
  type RequestVerdict,
  type SessionVerdict,
  type StackVerdict,
  type SweepResult,
  somethingIsLeft,
} from "./sweep-verdicts";

/** What a sweep is asked for. */
export interface SweepOrder {
  /** An open request to which nothing happened for so many days counts as closed; `undefined` when none does. */
  readonly idleDays: number | undefined;
  /** Sessions that no state knows and that are younger are left. */
  readonly minimumAgeMs: number;
  /** Whether to do it or only to say what would be done. */
  readonly execute: boolean;
  readonly lockWaitMs: number;
}

/**
 * Finds the preview environments of requests that are closed and takes them down, then releases sessions of preview
 * environments that no state knows. Whatever is not certain is left alone and told.
 */
export async function sweep(job: ReleasingJob & { readonly forge: Forge }, order: SweepOrder): Promise<SweepResult> {
  const failures: string[] = [];
  const askOnce = askForge(job, order, failures);
  const sessions: SessionVerdict[] = [];
  const stacks = await sweepStacks(job, order, askOnce, sessions, failures);
  const found = await findSessions(job);
  const ofProject = found.filter(({ project }) => project === job.project);
  await sweepSessions(job, order, ofProject, stacks, askOnce, sessions, failures);
  const ofOthers = found.filter(({ project }) => project !== job.project);
  await sweepRenamed(job, order, ofOthers, askOnce, sessions);
  const result = { stacks: [...stacks.values()], sessions, failures };
  await tell(job, result, order);
  return result;
}

type AskOnce = (request: number) => Promise<RequestVerdict>;

function askForge(
  { forge, clock }: ReleasingJob & { readonly forge: Forge },
  { idleDays }: SweepOrder,
  failures: string[],
): AskOnce {
  const verdicts = new Map<number, Promise<RequestVerdict>>();
  const ask = async (request: number): Promise<RequestVerdict> => {
    try {
      return judgeRequest(await forge.readRequest(request), idleDays, clock.now());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`Request ${request}: ${reason}`);
      return { fate: "doubt", isClosed: false, reason };
    }
  };
  return (request) => {
    const verdict = verdicts.get(request) ?? ask(request);
    verdicts.set(request, verdict);
    return verdict;
  };
}

/** The stacks are listed before the forge is asked: one that is made after that belongs to a request that is open. */
async function sweepStacks(
  job: ReleasingJob,
  { execute, lockWaitMs }: SweepOrder,
  askOnce: AskOnce,
  sessions: SessionVerdict[],
  failures: string[],
): Promise<Map<string, StackVerdict>> {
  const verdicts = new Map<string, StackVerdict>();
  const names = await job.pulumi.listStacks(job.organization);
  const requests = names.flatMap((name) => requestOfListedStack(name, job.organization) ?? []);
  for (const request of requests) {
    const stack = stackOfRequest(request);
    const { fate, isClosed, reason, note } = await askOnce(request);
    const decide = (action: StackVerdict["action"], why = reason, right?: ReleaseRight) => {
      verdicts.set(stack, { stack, action, reason: why, right });
      job.output.say(`${action}: ${stack}: ${why}`);
    };
    if (fate !== "remove") {
      decide(fate === "keep" ? "kept" : "left");
      continue;
    }
    try {
      if (!execute) {
        await readOwnState(job, stack);
        decide("would remove");
        continue;
      }
      const { exitCode, orphans, right } = await takeDown(job, {
        request,
        lockWaitMs,
        isClosed,
        ...(note !== undefined && { note }),
      });
      // Those that could not be released are found again below.
      const released = orphans.filter(({ action }) => action === "released");
      sessions.push(...released.map((orphan) => ({ ...orphan, stack })));
      if (exitCode !== 0) {
        throw new Error(`pulumi destroy ended with exit code ${exitCode}`);
      }
      decide("removed", reason, right);
    } catch (error) {
      job.signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      failures.push(`Stack ${stack}: ${why}`);
      decide("failed", why);
    }
  }
  return verdicts;
}

/** The sessions of the project that may be this repository's, and all that certainly are. */
async function findSessions({ client, project, repository }: ReleasingJob): Promise<OwnedSession[]> {
  const ofProject = await findOwnedSessions(client, { project });
  const found = new Set(ofProject.map(({ sessionId }) => sessionId));
  const ofRepository = repository === undefined ? [] : await findOwnedSessions(client, { repository }, found);
  return [...ofProject.filter((session) => !belongsToOtherRepository(session, repository)), ...ofRepository];
}

async function sweepSessions(
  job: ReleasingJob,
  { minimumAgeMs, execute }: SweepOrder,
  found: readonly OwnedSession[],
  stacks: ReadonlyMap<string, StackVerdict>,
  askOnce: AskOnce,
  verdicts: SessionVerdict[],
  failures: string[],
): Promise<void> {
  for (const [stack, ofStack] of groupByStack(found)) {
    const request = requestOfStack(stack);
    const action = stacks.get(stack)?.action;
    // A stack that is still to go takes its sessions along; one that is in doubt keeps them all.
    if (request === undefined || action === "would remove" || action === "left" || action === "failed") {
      continue;
    }
    const { fate, isClosed, reason } = await askOnce(request);
    const isGone = action === undefined || action === "removed";
    if (isGone && fate !== "remove") {
      verdicts.push(...leave(job, ofStack, `its stack was not found, and ${reason}`));
      continue;
    }
    try {
      const known = stacks.get(stack)?.right ?? releaseRightOf(undefined, job.includesUnidentified);
      const right = { ...known, closedRepository: isClosed ? job.repository : undefined };
      const rules = { minimumAgeMs, release: execute, stack: isGone ? "gone" : "here", right } as const;
      verdicts.push(...(await releaseUnknown(job, stack, ofStack, rules)).map((verdict) => ({ ...verdict, stack })));
    } catch (error) {
      job.signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      failures.push(`Sessions of ${stack}: ${why}`);
      verdicts.push(...leave(job, ofStack, why));
    }
  }
}

/**
 * Releases sessions of this repository that are of other projects, once their request is closed: a request that renamed
 * the project leaves such. Others are another folder's environments, which has a sweep of its own.
 */
async function sweepRenamed(
  job: ReleasingJob,
  { minimumAgeMs, execute }: SweepOrder,
  found: readonly OwnedSession[],
  askOnce: AskOnce,
  verdicts: SessionVerdict[],
): Promise<void> {
  const { client, clock, output, signal } = job;
  for (const session of found) {
    signal.throwIfAborted();
    const request = requestOfStack(session.stack);
    const verdict = request === undefined ? undefined : await askOnce(request);
    if (verdict?.fate === "doubt") {
      verdicts.push(...leave(job, [session], verdict.reason));
    }
    if (verdict?.isClosed) {
      const right = { ...releaseRightOf(undefined, false), closedRepository: job.repository };
      const what = await releaseOrphan(client, session, { minimumAgeMs, release: execute, right }, clock);
      output.say(`${verdictLine(what)} (of the project ${session.project})`);
      verdicts.push({ ...what, stack: session.stack });
    }
  }
}

function leave({ output }: ReleasingJob, sessions: readonly OwnedSession[], reason: string): SessionVerdict[] {
  return sessions.map((session) => {
    const verdict = leaveOrphan(session, reason);
    output.say(verdictLine(verdict));
    return { ...verdict, stack: session.stack };
  });
}

function groupByStack(sessions: readonly OwnedSession[]): Map<string, OwnedSession[]> {
  const groups = new Map<string, OwnedSession[]>();
  for (const session of sessions) {
    groups.set(session.stack, [...(groups.get(session.stack) ?? []), session]);
  }
  return groups;
}

async function tell({ output }: ReleasingJob, result: SweepResult, { execute }: SweepOrder): Promise<void> {
  await output.summarize(sweepReport(result, execute));
  for (const failure of result.failures) {
    output.warn(failure);
  }
  const removed = result.stacks.filter(({ action }) => action === "removed").length;
  const released = result.sessions.filter(({ action }) => action === "released").length;
  if (removed + released > 0) {
    output.warn(
      `The sweep removed ${removed} stacks and released ${released} sessions that should have been gone: ` +
        "some job that takes environments down did not run or did not end.",
    );
  }
  if (!execute && somethingIsLeft(result)) {
    output.say("Nothing was removed or released; add --yes to do it.");
  }
}
