import { spawn } from "node:child_process";

// Pulumi asks a terminal for its background color and for the cursor's position, and waits seconds for an answer.
const positionQuestion = "\x1b[6n";
const answers = "\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[1;1R";

/** Where a command runs. */
export interface TerminalOptions {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The size of the terminal in characters. */
  readonly columns: number;
  readonly rows: number;
  /** Called with each piece of output when it arrives. */
  readonly onOutput: (output: string) => void;
}

/**
 * Runs a shell command in a terminal that nobody sees, with the program `script` of util-linux.
 *
 * @throws Error when the command fails
 */
export function runInTerminal(command: string, options: TerminalOptions): Promise<void> {
  const { directory, environment, columns, rows, onOutput } = options;
  const inTerminal = `stty cols ${columns} rows ${rows} -echo; ${command}`;
  return new Promise((resolve, reject) => {
    const child = spawn("script", ["--quiet", "--return", "--flush", "--command", inTerminal, "/dev/null"], {
      cwd: directory,
      env: { ...environment, TERM: "xterm-256color", SHELL: "/bin/sh" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdout.setEncoding("utf8").on("data", (output: string) => {
      if (output.includes(positionQuestion)) {
        child.stdin.write(answers);
      }
      onOutput(output);
    });
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} failed with exit code ${code}.`)),
    );
  });
}
