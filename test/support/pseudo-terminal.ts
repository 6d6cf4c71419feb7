import { spawn } from "node:child_process";

/** What a command showed on its terminal, and how it ended. */
export interface TerminalResult {
  readonly exitCode: number | null;
  /** Everything that it wrote, standard output and standard error mixed, with the terminal's escapes. */
  readonly shown: string;
}

/** A test that needs a terminal. The program `script` of other systems takes other arguments. */
export const testWithTerminal = process.platform === "linux" ? test : test.skip;

/**
 * Runs a shell command in a terminal of 100 columns, with the program `script` of util-linux.
 *
 * @param answers what to type when the output holds a string, each once
 */
export function runInTerminal(
  command: string,
  directory: string,
  environment: Readonly<Record<string, string>>,
  answers: Readonly<Record<string, string>> = {},
): Promise<TerminalResult> {
  const inTerminal = `stty cols 100 rows 40 -echo; ${command}`;
  const child = spawn("script", ["--quiet", "--return", "--flush", "--command", inTerminal, "/dev/null"], {
    cwd: directory,
    env: { ...environment, TERM: "xterm-256color", SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 60_000,
  });
  let shown = "";
  const waiting = new Map(Object.entries(answers));
  child.stdout.setEncoding("utf8").on("data", (output: string) => {
    shown += output;
    for (const [question, answer] of waiting) {
      if (shown.includes(question)) {
        waiting.delete(question);
        child.stdin.write(answer);
      }
    }
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, shown: shown.replaceAll("\r\n", "\n") }));
  });
}
