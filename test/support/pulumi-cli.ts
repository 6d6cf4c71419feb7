import { type FoundPulumi, findPulumi } from "../../tools/pulumi-cli/find-pulumi";

let found: Promise<FoundPulumi> | undefined;

/** Finds the Pulumi CLI for tests, once per process, and installs it if there is none. */
export function pulumiCli(): Promise<FoundPulumi> {
  found ??= findPulumi({
    report: (line) => {
      // Each test file finds the CLI, so that line would only be noise. A build that takes minutes is worth printing.
      if (!line.startsWith("Pulumi CLI ")) {
        console.error(line);
      }
    },
  });
  return found;
}
