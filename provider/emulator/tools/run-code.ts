import { constants } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { randomString } from "../identifiers";
import { cutOutput } from "../sandbox/cut-output";
import type { Sandbox } from "../sandbox/sandbox";
import { openRegularFile } from "../sandbox/session-paths";
import { checkArguments } from "./arguments";
import { javascriptRunner, pythonRunner } from "./code-runners";
import { type ToolResult, toolFailure, toolSuccess } from "./tool-result";

const schema = z.object({
  code: z.string({ error: "is required and must be a string" }),
  language: z.string({ error: "is required and must be a string" }),
  timeout_s: z.number({ error: "must be a number" }).positive({ error: "must be more than 0" }).default(60),
});

const longestProblem = 1_000;

const aliases: Readonly<Record<string, string>> = {
  py: "python",
  python3: "python",
  js: "javascript",
  node: "javascript",
  nodejs: "javascript",
  sh: "bash",
};

/** `run_code`: the output of the code and the value of its last expression, as a JSON string. Calls share no state. */
export async function runCode(sandbox: Sandbox, args: unknown): Promise<ToolResult> {
  const { code, language: given, timeout_s } = checkArguments(schema, args);
  const asked = given.trim().toLowerCase();
  const language = Object.hasOwn(aliases, asked) ? (aliases[asked] as string) : asked;
  const name = `/tmp/.agb-code-${randomString(12)}`;
  const [codePath, resultPath] = [`${name}.${language === "javascript" ? "cjs" : "code"}`, `${name}.result`];
  const command = commandLine(sandbox, language, sandbox.pathInCommand(codePath), sandbox.pathInCommand(resultPath));
  if (command === undefined) {
    return toolFailure(`The language ${JSON.stringify(given.slice(0, 40))} is not installed where the emulator runs.`);
  }
  const startedAtMs = performance.now();
  try {
    await sandbox.withEntry(codePath, (entry) => writeFile(entry, code, { flag: "wx" }), { changesFolder: true });
    const end = await sandbox.run({ command, timeLimitMs: timeout_s * 1000 });
    const value = await readResult(sandbox, resultPath);
    const problem = end.isTimedOut ? `The code exceeded its time limit and was ended.` : lastLine(end.stderr);
    return toolSuccess(
      JSON.stringify({
        result: value === undefined ? [] : [{ "text/plain": value, isMainResult: true }],
        stdout: end.stdout === "" ? [] : [end.stdout],
        stderr: end.stderr === "" ? [] : [end.stderr],
        executionError:
          end.exitCode === 0
            ? null
            : problem.slice(0, longestProblem) || `The code ended with exit code ${end.exitCode}.`,
        execution_count: 1,
        execution_time: (performance.now() - startedAtMs) / 1000,
      }),
    );
  } finally {
    const remove = (path: string) =>
      sandbox.withEntry(path, (entry) => rm(entry, { force: true }), { followsLast: false });
    await Promise.allSettled([codePath, resultPath].map(remove));
  }
}

/** The value that the code's runner wrote; undefined if it wrote none or the code replaced the file. */
async function readResult(sandbox: Sandbox, path: string): Promise<string | undefined> {
  const limitBytes = sandbox.shared.limits.outputLimitBytes;
  const open = (entry: string) => openRegularFile(entry, constants.O_RDONLY);
  const handle = await sandbox.withEntry(path, open, { followsLast: false }).catch(() => undefined);
  try {
    const head = Buffer.alloc(Math.min(limitBytes, (await handle?.stat())?.size ?? 0));
    const read = await handle?.read(head, 0, head.length, 0);
    return handle && cutOutput(head.subarray(0, read?.bytesRead), (await handle.stat()).size, limitBytes);
  } finally {
    await handle?.close();
  }
}

function commandLine(sandbox: Sandbox, language: string, code: string, result: string): string[] | undefined {
  const { python, javascript, bash } = sandbox.shared.interpreters;
  switch (language) {
    case "python":
      return python === undefined ? undefined : [python, "-c", pythonRunner, code, result];
    case "javascript":
      return [javascript, "-e", javascriptRunner, code, result];
    case "bash":
      return bash === undefined ? undefined : [bash, code];
    default:
      return undefined;
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}
