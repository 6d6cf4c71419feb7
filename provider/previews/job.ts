// Preview environments: each request has one stack with its sessions. This folder creates, removes, recovers and sweeps
// them. It uses api/, lifecycle/, pulumi/, sweep/ and forge/. Only cli/ uses it.

import type { AgbClient } from "../api/client";
import type { Forge } from "../forge/forge";
import type { JobOutput } from "../forge/job-output";
import type { Clock } from "../lifecycle/wait";
import type { PulumiCli } from "../pulumi/pulumi-cli";

/** What a job needs. */
export interface PreviewJob {
  readonly pulumi: Pick<
    PulumiCli,
    "createStack" | "update" | "destroy" | "tryLock" | "cancel" | "findCutOffRun" | "exportState" | "listStacks"
  >;
  /** Name of the Pulumi project in the job's folder. */
  readonly project: string;
  readonly organization: string | undefined;
  /** Id of the repository at its forge; `undefined` when it is not known, as outside CI. */
  readonly repository: string | undefined;
  /** Where requests and comments are; `undefined` when it is not known. */
  readonly forge: Forge | undefined;
  /** Runs work that needs AGB. @throws AgbConfigurationError when no client can be opened */
  readonly withClient: <Result>(work: (client: AgbClient) => Promise<Result>) => Promise<Result>;
  /** The environment's variables. Some name a proxy. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Waits. @throws StoppedError when the job is asked to stop, before or during the wait */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Aborted when the job was asked to stop. */
  readonly signal: AbortSignal;
  readonly output: JobOutput;
}

/** A job that may release sessions. */
export interface ReleasingJob extends PreviewJob {
  readonly client: AgbClient;
  /** Whether sessions without a stack id count as sessions of the stack whose name they carry; the user says so. */
  readonly includesUnidentified: boolean;
}
