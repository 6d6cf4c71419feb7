// Runs real code and collects what users see of it: what jobs print, and the errors that commands report.

import { reportFailure } from "../../provider/cli/command-failure";
import { openJobOutput } from "../../provider/forge/job-output";

/** The output of a job outside CI, and what it printed. */
export function recordOutput() {
  const printed: string[] = [];
  const spies = (["log", "error"] as const).map((name) =>
    jest.spyOn(console, name).mockImplementation((...lines: unknown[]) => void printed.push(lines.join(" "))),
  );
  const output = openJobOutput({ summaryPath: undefined, outputPath: undefined, understandsAnnotations: false });
  return {
    output,
    printed,
    stop: () => {
      for (const spy of spies) {
        spy.mockRestore();
      }
    },
  };
}

/** Runs a job's work. @returns everything that it prints, an error as the subcommand reports it */
export async function shownBy(
  name: string,
  work: (output: ReturnType<typeof openJobOutput>) => unknown,
): Promise<string> {
  const { output, printed, stop } = recordOutput();
  const exitCode = process.exitCode;
  try {
    await work(output);
  } catch (error) {
    reportFailure(output, name, error);
  } finally {
    stop();
    process.exitCode = exitCode;
  }
  return printed.join("\n");
}
