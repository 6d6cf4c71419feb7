import type { AgbClient } from "../api/client";
import {
  type CommandSpec,
  type FollowOptions,
  followRun,
  prepareRun,
  type RunIdentity,
  type RunResult,
  startRun,
} from "./command-run";
import type { RunEnd } from "./command-run-status";

/** Whether a command did what it should. */
export function hasSucceeded({ reason, exitCode }: RunEnd): boolean {
  return reason === "exited" && exitCode === 0;
}

/** A run that followed others. */
export interface ChainedRun {
  /** The runs that were found failed, and the run itself. Without them, nothing could find the run again. */
  readonly path: readonly RunIdentity[];
  readonly result: RunResult;
}

/**
 * Runs a command once after another run, also when the process that started it was killed: the next call with the same
 * arguments waits for the same run or takes its result. A run that was found failed does not count. The command then runs once
 * after that one.
 *
 * @param identify names the run that follows the one with the given token. The same token must give the same identity.
 * @param base token of the run that came before; empty for none
 * @throws AgbNotFoundError when the session is gone
 * @throws AgbToolError when the image has no shell
 * @throws AgbRunError when the command cannot run, or was lost
 */
export async function runAfter(
  client: AgbClient,
  sessionId: string,
  {
    identify,
    base,
    spec,
  }: {
    readonly identify: (base: string) => RunIdentity;
    readonly base: string;
    readonly spec: CommandSpec;
  },
  options: FollowOptions,
): Promise<ChainedRun> {
  let identity = identify(base);
  const path = [identity];
  let found = await prepareRun(client, sessionId, identity);
  while (found.end !== undefined && !hasSucceeded(found.end)) {
    identity = identify(found.token);
    path.push(identity);
    found = await prepareRun(client, sessionId, identity);
  }
  if (found.step === "ready") {
    await startRun(client, sessionId, identity, spec);
  }
  return { path, result: await followRun(client, sessionId, identity, spec.timeoutSeconds, options) };
}
