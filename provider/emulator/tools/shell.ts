import { z } from "zod";
import type { Sandbox } from "../sandbox/sandbox";
import { checkArguments, pathArgument } from "./arguments";
import { type ToolResult, toolFailure, toolSuccess } from "./tool-result";

const withoutNul = (text: string) => !text.includes("\0");
const nul = { error: "must not contain a NUL character" };

const schema = z.object({
  command: z.string({ error: "is required and must be a string" }).refine(withoutNul, nul),
  timeout_ms: z.number({ error: "must be a number" }).positive({ error: "must be more than 0" }).default(1000),
  cwd: pathArgument.nullish(),
  envs: z
    .record(z.string().regex(/^[^=\0]+$/, { error: "is not a name" }), z.string().refine(withoutNul, nul), {
      error: "must be an object of strings",
    })
    .nullish(),
});

/** `shell`: the output and exit code of the command, as a JSON string. Fails only if the command timed out or did not start. */
export async function shell(sandbox: Sandbox, args: unknown): Promise<ToolResult> {
  const { command, timeout_ms, cwd, envs } = checkArguments(schema, args);
  const end = await sandbox.run({
    command: [sandbox.shared.interpreters.shell, "-c", command],
    directory: cwd ?? undefined,
    environment: envs ?? undefined,
    timeLimitMs: timeout_ms,
  });
  const text = JSON.stringify({
    stdout: end.stdout,
    stderr: end.isTimedOut ? `${end.stderr}The command exceeded its time limit and was ended.` : end.stderr,
    exit_code: end.exitCode,
    traceId: "",
  });
  return end.isTimedOut ? toolFailure(text) : toolSuccess(text);
}
