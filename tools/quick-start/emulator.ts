import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { findSessionView } from "../../provider/emulator/sandbox/find-session-view";
import { projectDirectory } from "../pulumi-cli/pinned-version";

const readyTimeoutMs = 20_000;
const stopTimeoutMs = 5_000;
/** As long as a session lives. With AGB's 5 minutes, the sessions would be gone before a new user has read on. */
const idleTimeoutSeconds = 1_800;
/** The code of the emulator's warning that sessions are not isolated. */
const notIsolatedCode = "[AGB807]";
const readyLine = /^AGB emulator listening on (http:\/\/\S+)$/;
const lineCountInError = 15;

/** The script of this package's command, as the build makes it. */
export const ownCommand = join(projectDirectory, "dist", "cli", "main.js");

/** An emulator in a child process. */
export interface RunningEmulator {
  /** Its endpoint, such as `http://127.0.0.1:40123`. */
  url: string;
  /** The only API key that it accepts. */
  apiKey: string;
  /** Resolves when it has ended, to a description such as `exit code 0`. */
  ended: Promise<string>;
  /** Stops it, and kills it after 5 seconds. Prints an error if it had already ended by itself. */
  stop(): Promise<void>;
}

/** How to start the emulator. */
export interface StartEmulatorOptions {
  /** The file that keeps its sessions between runs. */
  statePath: string;
  /** Whether sessions run commands on this computer. */
  allowsExec: boolean;
  /** The script of the command `pulumi-agb`. Default: the built one. */
  scriptPath?: string;
  /** Stops the start when aborted. */
  signal?: AbortSignal;
}

/** Whether the commands of sessions are isolated from this computer. Only then does the quick start let them run. */
export async function canIsolateSessions(): Promise<boolean> {
  return (await findSessionView([await realpath(process.execPath)])).isOwnRoot;
}

/**
 * Starts the local AGB emulator on a free port, with a new API key. It ends by itself when this process dies.
 *
 * @throws Error with the emulator's output, when it ends or is not ready within 20 seconds
 */
export async function startEmulator(options: StartEmulatorOptions): Promise<RunningEmulator> {
  const apiKey = `local-${randomBytes(16).toString("hex")}`;
  const child = spawn(
    process.execPath,
    [
      "--require",
      join(__dirname, "exit-with-parent.cjs"),
      options.scriptPath ?? ownCommand,
      "emulator",
      ...["--port", "0", "--state", options.statePath],
      ...["--default-idle-timeout-seconds", String(idleTimeoutSeconds)],
      ...(options.allowsExec ? ["--allow-exec"] : []),
    ],
    {
      cwd: projectDirectory,
      // In its own process group: Ctrl-C must not stop it while Pulumi still needs it to finish the current step.
      detached: true,
      windowsHide: true,
      stdio: "pipe",
      env: { ...process.env, AGB_EMULATOR_API_KEY: apiKey },
    },
  );
  child.stdin.on("error", () => {});
  const errorLines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    errorLines.push(line);
    if (line.includes(notIsolatedCode)) {
      console.error(line);
    }
    if (errorLines.length > lineCountInError) {
      errorLines.shift();
    }
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });

  let endedAlready = false;
  void ended.then(() => {
    endedAlready = true;
  });
  const end = async () => {
    child.stdin.end();
    const force = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await ended;
    clearTimeout(force);
  };

  try {
    return {
      url: await waitForUrl(child.stdout, ended, options.signal),
      apiKey,
      ended,
      async stop() {
        if (endedAlready) {
          console.error(`The local AGB emulator ended by itself (${await ended}).\n${errorLines.join("\n")}`.trim());
        }
        await end();
      },
    };
  } catch (error) {
    await end();
    options.signal?.throwIfAborted();
    throw new Error(describeFailure((error as Error).message, errorLines.join("\n")));
  }
}

function waitForUrl(stdout: Readable, ended: Promise<string>, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready after ${readyTimeoutMs / 1000} s`)), readyTimeoutMs);
    // Keeps reading after the first line, so that the emulator never blocks on its output.
    createInterface({ input: stdout }).on("line", (line) => {
      const url = readyLine.exec(line)?.[1];
      if (url !== undefined) {
        clearTimeout(timer);
        resolve(url);
      }
    });
    const fail = (reason: Error) => {
      clearTimeout(timer);
      reject(reason);
    };
    void ended.then((how) => fail(new Error(`it ended with ${how}`)));
    signal?.addEventListener("abort", () => fail(signal.reason), { once: true });
  });
}

function describeFailure(problem: string, output: string): string {
  const hint = /in use|locked/i.test(output)
    ? "Another `npm start` or `npm run pulumi` may be running in this checkout. Wait for it to end or stop it, then run this again."
    : undefined;
  return [`The local AGB emulator did not start: ${problem}.`, output, hint].filter(Boolean).join("\n");
}
