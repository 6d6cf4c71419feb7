import type { AgbClient } from "../../api/client";
import { AgbTimeoutError } from "../../api/errors";
import { isTransient } from "../../api/retry";
import {
  type CommandSpec,
  followRun,
  forgetRuns,
  newRunIdentity,
  type OutputName,
  prepareRun,
  type RunEnd,
  type RunIdentity,
  startRun,
  stopCommand,
} from "../../lifecycle/command-run";
import { systemClock } from "../../lifecycle/wait";
import { describeFailure } from "../../messages/describe-failure";
import { noteFailure, noteLostOutput } from "../agb-access";
import { onParentEnd } from "../parent-end";
import { watchOutput } from "../terminal";
import { exitCodes } from "./exec-outcome";

/** An outage of the connection may last about a minute: each attempt has retries of its own. */
const mostAttempts = 10;
const retryDelayMs = 2_000;
/** An attempt that lasted this long reached AGB before it failed. */
const longOutageMs = 120_000;

/** How long to show the rest of the output after a command was ended. */
const longestDrainMs = 3_000;

/** One Ctrl+C may arrive several times: from the terminal, and from npm, which passes it on. */
const oneRequestMs = 1_000;

const stopCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** A command that this process runs for the user at the terminal, and ends when the user says so. */
export class TerminalRun {
  private readonly identity: RunIdentity = newRunIdentity();
  private stopCode: number | undefined;
  /** When the user first asked to stop. */
  private askedMs: number | undefined;
  private stopping: Promise<void> | undefined;
  /** Aborted when the rest of the output is not wanted. */
  private readonly giveUp = new AbortController();
  /** Whether the command may have started. */
  hasStarted = false;

  constructor(
    private readonly client: AgbClient,
    private readonly sessionId: string,
  ) {}

  /** Runs the command, shows its output and waits for its end. @returns how it ended, or the exit code after a signal */
  async execute(spec: CommandSpec): Promise<RunEnd | number> {
    const { client, sessionId, identity } = this;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => this.receive(stopCodes[signal]));
    }
    onParentEnd(() => this.receive(stopCodes.SIGHUP));
    watchOutput((error) => {
      if (error !== undefined) {
        noteLostOutput(error);
      }
      this.giveUp.abort();
      this.stop(error === undefined ? exitCodes.readerGone : exitCodes.failed);
    });
    await prepareRun(client, sessionId, identity);
    if (this.stopCode === undefined) {
      this.hasStarted = true;
      await startRun(client, sessionId, identity, spec);
      if (this.stopCode !== undefined) {
        this.endCommand();
      }
      const end = await this.follow(spec.timeoutSeconds).catch((error: unknown) => {
        if (!this.giveUp.signal.aborted) {
          throw error;
        }
        return undefined;
      });
      await this.stopping;
      await this.forget();
      return this.stopCode ?? end ?? exitCodes.failed;
    }
    await this.forget();
    return this.stopCode;
  }

  /** Shows the output until the command ends. Follows it again after an outage: the command does not notice one. */
  private async follow(timeoutSeconds: number): Promise<RunEnd> {
    const { client, sessionId, identity } = this;
    const shownBytes = { stdout: 0, stderr: 0 };
    for (let attempt = 1; ; attempt++) {
      const beganMs = systemClock.elapsedMs();
      const skippedBytes = { ...shownBytes };
      const onOutput = (name: OutputName, bytes: Buffer) => {
        const rest = bytes.subarray(Math.min(skippedBytes[name], bytes.length));
        skippedBytes[name] -= bytes.length - rest.length;
        shownBytes[name] += rest.length;
        process[name].write(rest);
      };
      try {
        return await followRun(client, sessionId, identity, timeoutSeconds, {
          clock: systemClock,
          onOutput,
          keptBytes: 0,
          signal: this.giveUp.signal,
        });
      } catch (error) {
        attempt = systemClock.elapsedMs() - beganMs > longOutageMs ? 1 : attempt;
        const mayPass = isTransient(error) || error instanceof AgbTimeoutError;
        if (!mayPass || attempt >= mostAttempts || this.stopCode !== undefined) {
          throw error;
        }
        await systemClock.sleep(retryDelayMs);
      }
    }
  }

  /** Ends the command, or at the second request of the user this process without it. */
  private receive(exitCode: number): void {
    const nowMs = systemClock.elapsedMs();
    if (this.askedMs === undefined) {
      this.askedMs = nowMs;
      this.stop(exitCode);
    } else if (nowMs - this.askedMs >= oneRequestMs) {
      process.exit(exitCode);
    }
  }

  private stop(exitCode: number): void {
    this.stopCode ??= exitCode;
    if (this.hasStarted) {
      this.endCommand();
    }
  }

  private endCommand(): void {
    this.stopping ??= stopCommand(this.client, this.sessionId, this.identity).then(
      () => {
        // A command that wrote faster than its output could be read may have left gigabytes of it.
        setTimeout(() => this.giveUp.abort(), longestDrainMs).unref();
      },
      (error: unknown) => {
        const { text, code } = describeFailure(error);
        noteFailure("the command could not be ended and may still run", { text, code });
        process.exit(this.stopCode);
      },
    );
  }

  /** Removes what the run left in the session. The session ends soon, so a failure does not matter. */
  private async forget(): Promise<void> {
    await forgetRuns(this.client, this.sessionId, this.identity).catch(() => {});
  }
}
