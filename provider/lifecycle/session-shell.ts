/**
 * What the provider does inside a session, through AGB's tools. A call may run twice when its reply is lost, so everything
 * here must have the same result then. `command-run.ts` builds commands that run once on top of it.
 */
import { z } from "zod";
import type { AgbClient } from "../api/client";
import { CleanError } from "../api/errors";
import { parseJson } from "../api/json";
import { printable } from "../api/outside-text";
import { callTool } from "../api/tools";

/** A short script for the session's `sh`. It must be safe to run twice. */
export interface ShellScript {
  /**
   * The script. Programs of the session can read it in the list of processes, so it must hold nothing secret and nothing
   * long: send that with `writeSessionFile`.
   */
  readonly script: string;
  /** Absolute path in the session. In the script, paths are best relative to it. Default: the session's home directory. */
  readonly directory?: string | undefined;
  /** AGB ends the script after this time, in milliseconds. Default: 20,000. AGB's SDK has 1,000. */
  readonly timeoutMs?: number | undefined;
}

/** What a script wrote and how it ended. */
export interface ShellResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A tool of the session failed, or the image does not have it. */
export class AgbToolError extends CleanError {
  /** @param reason the tool's words, clean */
  constructor(
    readonly tool: string,
    readonly sessionId: string,
    reason: string,
  ) {
    super(`the tool ${tool} failed in session ${printable(sessionId)}: ${reason}`);
  }
}

/** Whether a program or a tool says that a disk has no space left, or that its user may not use more of it. */
export function saysDiskIsFull(words: string): boolean {
  return /no space left|ENOSPC|disk (is )?full|quota exceeded|EDQUOT|file too large|EFBIG/i.test(words);
}

const defaultTimeoutMs = 20_000;

/** The tool's text: JSON of AGB's present form. */
const shellReply = z.looseObject({
  stdout: z.string().nullish(),
  stderr: z.string().nullish(),
  exit_code: z.number().nullish(),
});

/**
 * Runs a short script in a session and waits for its end.
 *
 * @throws AgbNotFoundError when the session is gone
 * @throws AgbToolError when the image has no shell, or the script did not end in time
 */
export async function runShellScript(
  client: AgbClient,
  sessionId: string,
  { script, directory, timeoutMs = defaultTimeoutMs }: ShellScript,
): Promise<ShellResult> {
  const args = { command: script, timeout_ms: timeoutMs, ...(directory !== undefined && { cwd: directory }) };
  const { isError, text } = await callTool(client, { sessionId, tool: "shell", args });
  // AGB's SDK also expects JSON from a tool that failed, when the script's exit code is not 0.
  const reply = shellReply.safeParse(parseJson(text));
  const exitCode = reply.data?.exit_code ?? undefined;
  if (!reply.success || exitCode === undefined || (isError && exitCode === timeoutExitCode)) {
    throw new AgbToolError("shell", sessionId, client.clean(text) || "it returned nothing");
  }
  return { stdout: reply.data.stdout ?? "", stderr: reply.data.stderr ?? "", exitCode };
}

/** Of a script that did not end in time, as of the program `timeout`. */
const timeoutExitCode = 124;

/**
 * Writes a string to a file in a session, in place of what it held. AGB's SDK sends at most 50 KiB with one call, so longer
 * content needs several files.
 *
 * @param path absolute path in the session
 * @throws AgbNotFoundError when the session is gone
 * @throws AgbToolError when the file cannot be written
 */
export async function writeSessionFile(
  client: AgbClient,
  sessionId: string,
  path: string,
  content: string,
): Promise<void> {
  const args = { path, content, mode: "overwrite" };
  const { isError, text } = await callTool(client, { sessionId, tool: "write_file", args });
  if (isError) {
    throw new AgbToolError("write_file", sessionId, client.clean(text) || "it returned nothing");
  }
}

/** The longest content of one `writeSessionFile`, in bytes. AGB's SDK sends as much. */
export const longestContentBytes = 50 * 1024;
