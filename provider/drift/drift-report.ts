import { codeBlock } from "../forge/markdown";

/** Label of the issues that report drift. */
export const driftLabel = "agb-drift";

/** A stack without its organization. */
export interface DriftedStack {
  readonly project: string;
  readonly stack: string;
}

/** Where and when the stack was checked. */
export interface DriftCheck {
  readonly at: Date;
  /** Page of the job; `undefined` outside of one. */
  readonly jobUrl: string | undefined;
}

/** The longest output of Pulumi in an issue. Even if it were all backticks, it would fit with the fences around it. */
const longestDetails = 20_000;

/** The marker of a stack's issue. */
export function driftMarker({ project, stack }: DriftedStack): string {
  return `${driftLabel} ${project}/${stack}`;
}

/** Title of a stack's issue. */
export function driftTitle({ project, stack }: DriftedStack): string {
  return `Drift in ${project}/${stack}`;
}

/**
 * What an issue or a job summary says about drift.
 *
 * @param details what Pulumi's preview printed
 */
export function describeDrift(stack: DriftedStack, details: string, check: DriftCheck): string {
  return [
    `What exists at AGB differs from what the stack ${nameOf(stack)} declares. Checked ${momentOf(check)}.`,
    `To restore it, run \`pulumi up --refresh --stack ${stack.stack}\`. To keep a change, put it into the program.`,
    "",
    ...shortened(details),
    "",
  ].join("\n");
}

/** What an issue or a job summary says about a stack without drift. */
export function describeNoDrift(stack: DriftedStack, check: DriftCheck): string {
  return `No drift: what exists at AGB is what the stack ${nameOf(stack)} declares. Checked ${momentOf(check)}.\n`;
}

function nameOf({ project, stack }: DriftedStack): string {
  return `\`${project}/${stack}\``;
}

function momentOf({ at, jobUrl }: DriftCheck): string {
  const time = `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return jobUrl === undefined ? time : `${time} by [this job](${jobUrl})`;
}

function shortened(text: string): string[] {
  const { kept, leftOut } = shorten(text.trim());
  return [codeBlock(kept, "text"), ...(leftOut ? ["", "The rest did not fit. The log of the job has all of it."] : [])];
}

function shorten(text: string): { kept: string; leftOut: boolean } {
  if (text.length <= longestDetails) {
    return { kept: text, leftOut: false };
  }
  const head = text.slice(0, longestDetails);
  const lineEnd = head.lastIndexOf("\n");
  // A cut inside a surrogate pair would leave half a character, which no forge accepts.
  return { kept: lineEnd > 0 ? head.slice(0, lineEnd) : head.replace(/[\uD800-\uDBFF]$/, ""), leftOut: true };
}
