import type { Forge } from "../forge/forge";
import { findOwnedSessions, type OwnedSession, verdictLine } from "../lifecycle/sweep";
import { takeDown } from "./down";
import type { ReleasingJob } from "./job";
import { judgeSessions } from "./orphans";
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
  await sweepSessions(job, order, stacks, askOnce, sessions, failures);
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
      return { fate: "doubt", reason };
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
    const { fate, reason, note } = await askOnce(request);
    const decide = (action: StackVerdict["action"], why = reason) => {
      verdicts.set(stack, { stack, action, reason: why });
      job.output.say(`${action}: ${stack}: ${why}`);
    };
    if (fate !== "remove") {
      decide(fate === "keep" ? "kept" : "left");
      continue;
    }
    if (!execute) {
      decide("would remove");
      continue;
    }
    try {
      const { exitCode, orphans } = await takeDown(job, { request, lockWaitMs, ...(note !== undefined && { note }) });
      // Those that could not be released are found again below.
      const released = orphans.filter(({ action }) => action === "released");
      sessions.push(...released.map((orphan) => ({ ...orphan, stack })));
      if (exitCode !== 0) {
        throw new Error(`pulumi destroy ended with exit code ${exitCode}`);
      }
      decide("removed");
    } catch (error) {
      job.signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      failures.push(`Stack ${stack}: ${why}`);
      decide("failed", why);
    }
  }
  return verdicts;
}

async function sweepSessions(
  job: ReleasingJob,
  { minimumAgeMs, execute }: SweepOrder,
  stacks: ReadonlyMap<string, StackVerdict>,
  askOnce: AskOnce,
  verdicts: SessionVerdict[],
  failures: string[],
): Promise<void> {
  const found = await findOwnedSessions(job.client, { project: job.project });
  for (const [stack, ofStack] of groupByStack(found)) {
    const request = requestOfStack(stack);
    const action = stacks.get(stack)?.action;
    // A stack that is still to go takes its sessions along; one that is in doubt keeps them all.
    if (request === undefined || action === "would remove" || action === "left" || action === "failed") {
      continue;
    }
    const { fate, reason } = await askOnce(request);
    const isGone = action === undefined || action === "removed";
    if (isGone && fate !== "remove") {
      verdicts.push(...leave(job, ofStack, `its stack was not found, and ${reason}`));
      continue;
    }
    try {
      const rules = { minimumAgeMs, release: execute, onlyWhenGone: isGone };
      verdicts.push(...(await judgeSessions(job, stack, ofStack, rules)).map((verdict) => ({ ...verdict, stack })));
    } catch (error) {
      job.signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      failures.push(`Sessions of ${stack}: ${why}`);
      verdicts.push(...leave(job, ofStack, why));
    }
  }
}

function leave({ output }: ReleasingJob, sessions: readonly OwnedSession[], reason: string): SessionVerdict[] {
  return sessions.map(({ sessionId, resource, createdAt, stack }) => {
    const verdict: SessionVerdict = {
      sessionId,
      stack,
      resource: resource ?? null,
      createdAt: createdAt?.toISOString() ?? null,
      action: "left",
      reason,
    };
    output.say(verdictLine(verdict));
    return verdict;
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
