import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const repositoryDirectory = join(__dirname, "..", "..");
export const workflowDirectory = join(repositoryDirectory, ".github", "workflows");

/** One step: either `uses` or `run`. */
export interface WorkflowStep {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly "working-directory"?: string;
  readonly "timeout-minutes"?: number;
}

/** One job: either steps or a call of another workflow. */
export interface WorkflowJob {
  readonly name?: string;
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress"?: boolean | string };
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: { readonly include?: readonly Readonly<Record<string, string>>[] } };
  readonly env?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps?: readonly WorkflowStep[];
}

/** An input of `workflow_dispatch` or `workflow_call`. */
export interface WorkflowInput {
  readonly type?: string;
  readonly default?: unknown;
  readonly required?: boolean;
}

/** What a workflow says about one of the events that start it. */
export interface WorkflowTrigger {
  readonly types?: readonly string[];
  readonly inputs?: Readonly<Record<string, WorkflowInput>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
}

/** A workflow of GitHub Actions, as far as tests need it. */
export interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, WorkflowTrigger | null>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

/** Names of all workflow files. */
export function workflowNames(): string[] {
  return readdirSync(workflowDirectory).sort();
}

/** The text of a workflow file. */
export function readWorkflowText(name: string): string {
  return readFileSync(join(workflowDirectory, name), "utf8");
}

/** A parsed workflow file. */
export function readWorkflow(name: string): Workflow {
  return parse(readWorkflowText(name));
}

/** A job of GitLab CI, as far as tests need it. */
export interface GitlabJob {
  readonly extends?: string;
  readonly rules?: readonly Readonly<Record<string, unknown>>[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly resource_group?: string;
  readonly interruptible?: boolean;
  readonly timeout?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly before_script?: readonly string[];
  readonly script?: readonly string[];
  readonly after_script?: readonly string[];
}

/** The jobs of the GitLab template by name, each with what it inherits. */
export function readGitlabJobs(): Record<string, GitlabJob> {
  const { variables: _, ...jobs } = parse(readFileSync(join(repositoryDirectory, "ci", "gitlab-preview.yml"), "utf8"));
  const inherit = (job: GitlabJob): GitlabJob =>
    job.extends === undefined ? job : { ...inherit(jobs[job.extends]), ...job };
  return Object.fromEntries(
    Object.entries<GitlabJob>(jobs)
      .filter(([name]) => !name.startsWith("."))
      .map(([name, job]) => [name, inherit(job)]),
  );
}
