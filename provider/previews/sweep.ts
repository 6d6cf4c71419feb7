import type { Forge } from "../forge/forge";
import { CodedError } from "../messages/coded-error";
import { describeFailure, type Failure } from "../messages/describe-failure";
import { findOwnedSessions, type OwnedSession } from "../sweep/owned-sessions";
import { leaveOrphan, releaseOrphan, resultLine, shownReason } from "../sweep/release-orphan";
import { proofOf } from "../sweep/state-proof";
import { takeDown } from "./down";
import type { ReleasingJob } from "./job";
import { belongsToOtherRepository, type OrphanOptions, releaseUnknown } from "./orphans";
import { readOwnState } from "./own-state";
import { RequestDecisions } from "./request-decisions";
import { requestOfListedStack, requestOfStack, stackOfRequest } from "./stack-name";
import { sweepReport } from "./sweep-report";
import { joinResults, type SessionResult, type StackResult, type SweepResult, somethingIsLeft } from "./sweep-result";

/** Which environments to remove, and how. */
export interface SweepOptions {
  /** An open request without activity for this many days counts as closed; `undefined` for none. */
  readonly idleDays: number | undefined;
  /** Leaves younger sessions that no state knows. */
  readonly minimumAgeMs: number;
  /** Whether to do it or only to say what would be done. */
  readonly execute: boolean;
  readonly lockWaitMs: number;
}

/** One sweep: the job, its options, and what the forge says about requests. */
interface Sweep {
  readonly job: ReleasingJob;
  readonly options: SweepOptions;
  readonly requests: RequestDecisions;
}

/**
 * Removes the preview environments of closed requests, then releases sessions of preview environments that no state
 * knows. Leaves and reports everything that is not certain.
 */
export async function sweep(
  job: ReleasingJob & { readonly forge: Forge },
  options: SweepOptions,
): Promise<SweepResult> {
  const requests = new RequestDecisions(job.forge, job.clock, options.idleDays);
  const run = { job, options, requests };
  const ofStacks = await sweepStacks(run);
  const found = await findSessions(job);
  const ofProject = await sweepSessions(
    run,
    found.filter(({ project }) => project === job.project),
    ofStacks.stacks,
  );
  const ofOtherProjects = await sweepRenamed(
    run,
    found.filter(({ project }) => project !== job.project),
  );
  const result = joinResults([{ failures: requests.failures }, ofStacks, ofProject, { sessions: ofOtherProjects }]);
  await publish(job, result, options);
  return result;
}

/** Lists the stacks before it asks the forge. A stack that is created after that belongs to an open request. */
async function sweepStacks(run: Sweep): Promise<SweepResult> {
  const { pulumi, organization } = run.job;
  const names = await pulumi.listStacks(organization);
  const parts: Partial<SweepResult>[] = [];
  for (const request of names.flatMap((name) => requestOfListedStack(name, organization) ?? [])) {
    parts.push(await sweepStack(run, request));
  }
  return joinResults(parts);
}

async function sweepStack({ job, options, requests }: Sweep, request: number): Promise<Partial<SweepResult>> {
  const stack = stackOfRequest(request);
  const decision = await requests.of(request);
  const { fate, isClosed, reason, code, note } = decision;
  const conclude = (result: Omit<StackResult, "stack">): StackResult[] => {
    job.output.say(`${result.action}: ${stack}: ${shownReason(result)}`);
    return [{ stack, ...result }];
  };
  if (fate !== "remove") {
    return {
      stacks: conclude({ action: fate === "keep" ? "kept" : "left", reason, ...(code !== undefined && { code }) }),
    };
  }
  let sessions: SessionResult[] = [];
  try {
    if (!options.execute) {
      await readOwnState(job, stack);
      return { stacks: conclude({ action: "would remove", reason }) };
    }
    const { lockWaitMs } = options;
    const down = await takeDown(job, { request, lockWaitMs, isClosed, ...(note !== undefined && { note }) });
    // The sweep of the sessions finds those again that could not be released.
    sessions = down.orphans.filter(({ action }) => action === "released").map((orphan) => ({ ...orphan, stack }));
    if (down.exitCode !== 0) {
      throw new CodedError(
        `\`pulumi destroy\` failed with exit code ${down.exitCode}. Fix what it reports in the log of the job.`,
        "AGB603",
      );
    }
    return { stacks: conclude({ action: "removed", reason, proof: down.proof }), sessions };
  } catch (error) {
    job.signal.throwIfAborted();
    const { text, code } = describeFailure(error);
    const failures = [{ text: `Stack ${stack}: ${text}`, code }];
    return { stacks: conclude({ action: "failed", reason: text, code }), sessions, failures };
  }
}

/** The sessions of the project that may be this repository's, and all that certainly are. */
async function findSessions({ client, project, repository }: ReleasingJob): Promise<OwnedSession[]> {
  const ofProject = await findOwnedSessions(client, { project });
  const found = new Set(ofProject.map(({ sessionId }) => sessionId));
  const ofRepository = repository === undefined ? [] : await findOwnedSessions(client, { repository }, found);
  return [...ofProject.filter((session) => !belongsToOtherRepository(session, repository)), ...ofRepository];
}

/** @param stacks what became of the stacks that were found */
async function sweepSessions(
  run: Sweep,
  found: readonly OwnedSession[],
  stacks: readonly StackResult[],
): Promise<SweepResult> {
  const resultOf = new Map(stacks.map((result) => [result.stack, result]));
  const parts: Partial<SweepResult>[] = [];
  for (const [stack, sessions] of groupByStack(found)) {
    parts.push(await sweepSessionsOf(run, stack, sessions, resultOf.get(stack)));
  }
  return joinResults(parts);
}

/** @param result what became of the stack; `undefined` when it was not found */
async function sweepSessionsOf(
  { job, options, requests }: Sweep,
  stack: string,
  sessions: readonly OwnedSession[],
  result: StackResult | undefined,
): Promise<Partial<SweepResult>> {
  const request = requestOfStack(stack);
  const action = result?.action;
  // The removal of a stack will include its sessions. A stack in doubt keeps them all.
  if (request === undefined || action === "would remove" || action === "left" || action === "failed") {
    return {};
  }
  const { fate, isClosed, reason, code = "AGB727" } = await requests.of(request);
  const isGone = action === undefined || action === "removed";
  if (isGone && fate !== "remove") {
    return { sessions: leave(job, sessions, { text: `its stack was not found, and ${reason}`, code }) };
  }
  const expected = isGone
    ? ({
        stack: "gone",
        proof: result?.proof ?? proofOf(undefined),
        closedRepository: isClosed ? job.repository : undefined,
      } as const)
    : ({ stack: "here" } as const);
  const orphanOptions: OrphanOptions = {
    minimumAgeMs: options.minimumAgeMs,
    release: options.execute,
    ...expected,
  };
  try {
    const orphans = await releaseUnknown(job, stack, sessions, orphanOptions);
    return { sessions: orphans.map((orphan) => ({ ...orphan, stack })) };
  } catch (error) {
    job.signal.throwIfAborted();
    const failure = describeFailure(error);
    const failures = [{ ...failure, text: `Sessions of ${stack}: ${failure.text}` }];
    return { sessions: leave(job, sessions, failure), failures };
  }
}

/**
 * Releases this repository's sessions of other projects once their request is closed. A request that renames the project
 * leaves such sessions behind. The rest belong to environments of another folder, which has its own sweep.
 */
async function sweepRenamed(
  { job, options, requests }: Sweep,
  found: readonly OwnedSession[],
): Promise<SessionResult[]> {
  const { client, clock, output, signal, repository } = job;
  const right = {
    ...proofOf(undefined),
    repositories: new Set(repository === undefined ? [] : [repository]),
    closedRepository: repository,
    includesUnidentified: false,
  };
  const results: SessionResult[] = [];
  for (const session of found) {
    signal.throwIfAborted();
    const request = requestOfStack(session.stack);
    const decision = request === undefined ? undefined : await requests.of(request);
    if (decision?.code !== undefined) {
      results.push(...leave(job, [session], { text: decision.reason, code: decision.code }));
    }
    if (decision?.isClosed) {
      const { minimumAgeMs, execute: release } = options;
      const result = await releaseOrphan(client, session, { minimumAgeMs, release, right }, clock);
      output.say(resultLine(result, session.project));
      results.push({ ...result, stack: session.stack });
    }
  }
  return results;
}

function leave({ output }: ReleasingJob, sessions: readonly OwnedSession[], failure: Failure): SessionResult[] {
  return sessions.map((session) => {
    const result = leaveOrphan(session, failure);
    output.say(resultLine(result));
    return { ...result, stack: session.stack };
  });
}

function groupByStack(sessions: readonly OwnedSession[]): Map<string, OwnedSession[]> {
  const groups = new Map<string, OwnedSession[]>();
  for (const session of sessions) {
    groups.set(session.stack, [...(groups.get(session.stack) ?? []), session]);
  }
  return groups;
}

async function publish({ output }: ReleasingJob, result: SweepResult, { execute }: SweepOptions): Promise<void> {
  await output.summarize(sweepReport(result, execute));
  for (const { text, code } of result.failures) {
    output.warn(text, code);
  }
  const removed = result.stacks.filter(({ action }) => action === "removed").length;
  const released = result.sessions.filter(({ action }) => action === "released").length;
  if (removed + released > 0) {
    output.warn(
      `The sweep removed ${count(removed, "stack")} and released ${count(released, "session")} that should have been gone, ` +
        "because a `down` did not run or did not finish. Check the jobs that ran when the requests were closed.",
      "AGB730",
    );
  }
  if (!execute && somethingIsLeft(result)) {
    output.say("Nothing was removed or released. Add --yes to remove and release it.");
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
