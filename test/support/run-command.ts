import type { AgbClient } from "../../provider/api/client";
import {
  type CommandSpec,
  type FollowOptions,
  followRun,
  prepareRun,
  type RunIdentity,
  type RunResult,
  startRun,
} from "../../provider/lifecycle/command-run";

/** Runs a command once and waits for its end. If a run of this identity exists, this waits for that one. */
export async function runCommand(
  client: AgbClient,
  sessionId: string,
  identity: RunIdentity,
  spec: CommandSpec,
  options: FollowOptions,
): Promise<RunResult> {
  const { step } = await prepareRun(client, sessionId, identity);
  if (step === "ready") {
    await startRun(client, sessionId, identity, spec);
  }
  return followRun(client, sessionId, identity, spec.timeoutSeconds, options);
}
