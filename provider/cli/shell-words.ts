import { quoteForShell } from "../lifecycle/shell-quoting";

/** Writes arguments as a command line of `sh` that runs exactly these: each stays one argument, and nothing is expanded. */
export function toCommandLine(args: readonly string[]): string {
  return args.map(quoteForShell).join(" ");
}
