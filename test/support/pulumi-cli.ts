import { type FoundPulumi, findPulumi } from "../../tools/pulumi-cli/find-pulumi";

let found: Promise<FoundPulumi> | undefined;

/** The Pulumi CLI that tests run, looked for once per process; installed when there is none. */
export function pulumiCli(): Promise<FoundPulumi> {
  found ??= findPulumi({
    report: (line) => {
      // That it was found is not worth a line in each test file; that it is being built for minutes is.
      if (!line.startsWith("Pulumi CLI ")) {
        console.error(line);
      }
    },
  });
  return found;
}
