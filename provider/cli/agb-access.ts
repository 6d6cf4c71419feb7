import { AgbClient } from "../api/client";
import { AgbNotFoundError } from "../api/errors";
import { hiderFor, keySecret } from "../api/known-secrets";
import { printable } from "../api/outside-text";
import { readSettings, type Settings } from "../config";
import { openJobOutput } from "../forge/job-output";
import { CodedError } from "../messages/coded-error";
import { describeFailure, type Failure } from "../messages/describe-failure";
import { withCode } from "../messages/message-codes";
import { askPulumi } from "../pulumi/ask-pulumi";
import { PulumiReader } from "../pulumi/pulumi-reader";
import type { StackState } from "../pulumi/stack-state";
import { reportFailure } from "./command-failure";
import { pulumiEnvironment, readJobSettings } from "./environment";
import { watchOutput } from "./terminal";

/** A connection to AGB, and the stack that the user named. */
export interface AgbAccess {
  readonly client: AgbClient;
  readonly baseUrl: string;
  /** State of the stack of `--stack`; `undefined` without the option, or where the command needs no state. */
  readonly state: StackState | undefined;
  /** Replaces the API key in all strings of a value from AGB, in case the service repeats it. */
  readonly hideKey: <Value>(value: Value) => Value;
}

/** What a subcommand needs. */
export interface AccessOptions {
  /** Name for messages, such as `sessions list`. */
  readonly name: string;
  /** The stack whose configuration wins over the environment. */
  readonly stack: string | undefined;
  /** Whether the state of the stack is needed. Default: no. */
  readonly needsState?: boolean;
  /** Exit code after a failure. Default: 1. */
  readonly failureCode?: number;
}

/** A key as short as this is no real one, and may be a part of ordinary words. */
const shortestHiddenKey = 8;

/**
 * Runs a subcommand with a connection to AGB, reports a failure and sets the exit code.
 *
 * @param work returns the exit code
 */
export async function withAgb(options: AccessOptions, work: (agb: AgbAccess) => Promise<number>): Promise<void> {
  try {
    const agb = await openAgb(options);
    try {
      const exitCode = await work(agb);
      // An output that was lost has set it.
      process.exitCode ||= exitCode;
    } finally {
      await agb.client.close();
    }
  } catch (error) {
    reportFailure(openJobOutput(readJobSettings()), options.name, error);
    process.exitCode = options.failureCode ?? process.exitCode ?? 1;
  }
}

async function openAgb({ stack, needsState }: AccessOptions): Promise<AgbAccess> {
  const pulumi = new PulumiReader(askPulumi(pulumiEnvironment()));
  const [settings, state] =
    stack === undefined
      ? [readEnvironment(), undefined]
      : await Promise.all([
          pulumi.readConfig(stack).then((configured) => readSettings(configured)),
          needsState ? requireState(pulumi, stack) : undefined,
        ]);
  const { baseUrl, proxy, timeoutMs, apiKey } = settings;
  const client = new AgbClient({ baseUrl, proxy, timeoutMs, apiKey: apiKey.value });
  return { client, baseUrl, state, hideKey: keyHider(apiKey.value) };
}

function readEnvironment(): Settings {
  try {
    return readSettings(undefined);
  } catch (error) {
    const { text, code } = describeFailure(error);
    throw code === "AGB201" ? new CodedError(`${text} To use the settings of a stack, add --stack NAME.`, code) : error;
  }
}

async function requireState(pulumi: PulumiReader, stack: string): Promise<StackState> {
  const state = await pulumi.exportState(stack);
  if (state === undefined) {
    throw new CodedError(
      `The stack ${stack} does not exist in this backend. Check the backend and --stack. To find sessions without their ` +
        "state, use --label pulumi-stack=NAME.",
      "AGB607",
    );
  }
  return state;
}

function keyHider(apiKey: string): AgbAccess["hideKey"] {
  if (apiKey.length < shortestHiddenKey) {
    return (value) => value;
  }
  const hide = hiderFor([keySecret(apiKey)]);
  // Reading all strings as one is much faster than one by one, and almost always there is nothing to hide.
  return (value) => {
    const text = JSON.stringify(value);
    return hide(text) === text ? value : mapStrings(value, (each) => hide(each));
  };
}

function mapStrings<Value>(value: Value, map: (text: string) => string): Value {
  if (typeof value === "string") {
    return map(value) as Value;
  }
  if (Array.isArray(value)) {
    return value.map((each) => mapStrings(each, map)) as Value;
  }
  return typeof value === "object" && value !== null
    ? (Object.fromEntries(Object.entries(value).map(([key, each]) => [map(key), mapStrings(each, map)])) as Value)
    : value;
}

/** Waits for a call about a session. @throws CodedError instead of AgbNotFoundError, with what to do */
export async function ofSession<Result>(
  { baseUrl }: AgbAccess,
  sessionId: string,
  call: Promise<Result>,
): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof AgbNotFoundError ? noSession(sessionId, baseUrl) : error;
  }
}

/** Nothing runs with the id that the user gave. */
export function noSession(sessionId: string, baseUrl: string): CodedError {
  return new CodedError(
    `There is no session ${printable(sessionId)} at ${baseUrl}. It has ended, or it belongs to another account. ` +
      "`pulumi-agb sessions list` shows the sessions that run.",
    "AGB631",
  );
}

/**
 * For commands that only show something: ends this process when its output cannot be written. A reader that stopped reading,
 * such as `head`, has what it wants.
 */
export function endWithReader(): void {
  watchOutput((error) => {
    if (error !== undefined) {
      noteLostOutput(error);
    }
    process.exit(error === undefined ? 0 : 1);
  });
}

/** For commands that change something: finishes the work when its output cannot be written. */
export function outliveReader(): void {
  watchOutput((error) => {
    if (error !== undefined) {
      noteLostOutput(error);
      process.exitCode = 1;
    }
  });
}

/** Says that the output is not complete. */
export function noteLostOutput(error: Error): void {
  const text = `it could not be written: ${error.message}. Free space, or choose another file`;
  noteFailure("the output", { text, code: "AGB643" });
}

/** Writes a line to standard error, where it does not mix with results. */
export function note(text: string): void {
  process.stderr.write(`${printable(text, 10_000)}\n`);
}

/** Writes why something of several things failed to standard error. @param what such as a session id */
export function noteFailure(what: string, { text, code }: Failure): void {
  note(withCode(`failed: ${what}: ${text}`, code));
}
