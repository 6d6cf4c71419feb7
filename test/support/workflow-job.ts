// Runs jobs of a workflow file as GitHub would for an event, as far as this project's files need it: `on`, `if`, jobs without
// `needs`, `env`, `inputs`, `vars`, `secrets`, `steps` and outputs. Steps with `uses` must be pinned and are not run. `run`
// steps go to the caller. Anything unknown is an error, so no file can mean more than the tests cover.

import type { ExpressionContexts, ExpressionEvaluator, ExpressionValue, JobStatus } from "./expression-evaluator";
import type { Workflow, WorkflowJob, WorkflowStep } from "./workflow-files";

/** An event and everything around it that a workflow can see. */
export interface WorkflowEvent {
  /** Such as `pull_request`. */
  readonly name: string;
  /** What GitHub sends with it. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** `owner/name`. */
  readonly repository: string;
  readonly token?: string;
  readonly vars?: Readonly<Record<string, string>>;
  /** The secrets that GitHub gives this run. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Inputs from the person who started it, or from the calling workflow. */
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** Whether another workflow calls this one. The event is then the caller's. */
  readonly isCall?: boolean;
}

/** A `run` step, ready to run. */
export interface PreparedStep {
  readonly id: string | undefined;
  readonly name: string;
  readonly command: string;
  /** Relative to the checkout. */
  readonly workingDirectory: string;
  /** What the workflow adds to the runner's own variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMinutes: number | undefined;
}

/** The result of a step. */
export interface StepResult {
  readonly outcome: JobStatus;
  readonly outputs?: Readonly<Record<string, string>>;
}

/** The result of a job. */
export interface JobResult {
  readonly status: JobStatus;
  /** The `run` steps that were started. */
  readonly steps: readonly PreparedStep[];
  readonly outputs: Readonly<Record<string, string>>;
}

/** Matches `uses` of an action that is pinned by its commit. */
export const pinnedAction = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;

const knownJobKeys = new Set(
  "name if concurrency runs-on timeout-minutes permissions outputs steps env strategy".split(" "),
);
const knownStepKeys = new Set("id name if uses with run env working-directory timeout-minutes".split(" "));

/** One run of a workflow for one event. */
export class WorkflowRun {
  readonly #workflow: Workflow;
  readonly #event: WorkflowEvent;
  readonly #evaluator: ExpressionEvaluator;

  constructor(workflow: Workflow, event: WorkflowEvent, evaluator: ExpressionEvaluator) {
    this.#workflow = workflow;
    this.#event = event;
    this.#evaluator = evaluator;
  }

  /** Names of the jobs that are not skipped; none when the event does not start the workflow. */
  async startedJobs(): Promise<string[]> {
    const started: string[] = [];
    for (const [name, job] of this.#isStarted() ? Object.entries(this.#workflow.jobs) : []) {
      requireKnownKeys(`job ${name}`, job, knownJobKeys);
      if (await this.#holds(job.if, this.#contexts({}), "success")) {
        started.push(name);
      }
    }
    return started;
  }

  /** A job's concurrency group; undefined when it has none. */
  async concurrencyGroup(name: string): Promise<string | undefined> {
    const group = this.#job(name).concurrency?.group;
    // The group is in lower case, because GitHub does not tell cases apart.
    return group === undefined
      ? undefined
      : (await this.#text(group, this.#contexts({}), "success")).toLocaleLowerCase("en");
  }

  /** Runs a job's steps one after the other. */
  async runJob(name: string, runStep: (step: PreparedStep) => Promise<StepResult>): Promise<JobResult> {
    const job = this.#job(name);
    const steps: Record<string, unknown> = {};
    const started: PreparedStep[] = [];
    let status: JobStatus = "success";
    const env = {
      ...(await this.#texts(this.#workflow.env, this.#contexts({}))),
      ...(await this.#texts(job.env, this.#contexts({}))),
    };
    for (const step of job.steps ?? []) {
      requireKnownKeys(`step ${step.name ?? step.uses}`, step, knownStepKeys);
      const contexts = this.#contexts({ env, steps });
      let result: StepResult | { readonly outcome: "skipped" } = { outcome: "skipped" };
      if (await this.#holds(step.if, contexts, status)) {
        const prepared = await this.#prepare(step, contexts, env);
        if (prepared !== undefined) {
          started.push(prepared);
        }
        result = prepared === undefined ? { outcome: "success" } : await runStep(prepared);
      }
      if (step.id !== undefined) {
        steps[step.id] = { outputs: {}, conclusion: result.outcome, ...result };
      }
      if (status === "success" && result.outcome !== "skipped") {
        status = result.outcome;
      }
    }
    const outputs = await this.#texts(job.outputs, this.#contexts({ env, steps }));
    return { status, steps: started, outputs };
  }

  #job(name: string): WorkflowJob {
    const job = this.#workflow.jobs[name];
    if (job === undefined) {
      throw new Error(`${this.#workflow.name} has no job ${name}`);
    }
    return job;
  }

  #isStarted(): boolean {
    if (this.#event.isCall) {
      return "workflow_call" in this.#workflow.on;
    }
    const trigger = this.#workflow.on[this.#event.name];
    if (trigger === undefined) {
      return false;
    }
    const types = trigger?.types;
    return types === undefined || types.includes(String(this.#event.payload["action"]));
  }

  #contexts(more: { env?: Readonly<Record<string, string>>; steps?: Readonly<Record<string, unknown>> }) {
    const { name, payload, repository, token = "the-job-token", vars = {}, secrets = {} } = this.#event;
    return {
      github: { event_name: name, event: payload, repository, token },
      inputs: this.#inputs(),
      vars,
      secrets,
      ...more,
    };
  }

  #inputs(): Record<string, unknown> {
    const declared = this.#workflow.on[this.#event.isCall ? "workflow_call" : "workflow_dispatch"]?.inputs ?? {};
    const given = this.#event.inputs ?? {};
    for (const name of Object.keys(given)) {
      if (!(name in declared)) {
        throw new Error(`${this.#workflow.name} has no input ${name}`);
      }
    }
    if (!this.#event.isCall && this.#event.name !== "workflow_dispatch") {
      return {};
    }
    const empty = (type: string | undefined) => (type === "boolean" ? false : "");
    return Object.fromEntries(
      Object.entries(declared).map(([name, input]) => [name, given[name] ?? input.default ?? empty(input.type)]),
    );
  }

  async #prepare(
    step: WorkflowStep,
    contexts: ExpressionContexts,
    env: Readonly<Record<string, string>>,
  ): Promise<PreparedStep | undefined> {
    if (step.uses !== undefined) {
      if (!pinnedAction.test(step.uses)) {
        throw new Error(`${step.uses} is not pinned by a commit`);
      }
      await this.#texts(step.with, contexts);
      return undefined;
    }
    if (step.run === undefined || step.run.includes("${{")) {
      throw new Error(`step ${step.name} has no command, or one with an expression in it`);
    }
    return {
      id: step.id,
      name: step.name ?? step.run,
      command: step.run,
      workingDirectory: await this.#text(step["working-directory"] ?? ".", contexts, "success"),
      environment: { ...env, ...(await this.#texts(step.env, contexts)) },
      timeoutMinutes: step["timeout-minutes"],
    };
  }

  async #holds(condition: string | undefined, contexts: ExpressionContexts, status: JobStatus): Promise<boolean> {
    if (condition === undefined) {
      return status === "success";
    }
    const inner = /^\s*\$\{\{([\s\S]*)\}\}\s*$/.exec(String(condition))?.[1] ?? String(condition);
    // A condition that does not ask for the status also requires success so far.
    const asksForStatus = /\b(success|failure|cancelled|always)\s*\(/.test(inner);
    const { isTrue } = await this.#evaluate(inner, contexts, status);
    return isTrue && (asksForStatus || status === "success");
  }

  async #texts(values: Readonly<Record<string, unknown>> | undefined, contexts: ExpressionContexts) {
    const texts: Record<string, string> = {};
    for (const [name, value] of Object.entries(values ?? {})) {
      texts[name] = await this.#text(String(value), contexts, "success");
    }
    return texts;
  }

  async #text(template: string, contexts: ExpressionContexts, status: JobStatus): Promise<string> {
    let text = "";
    for (const part of template.split(/(\$\{\{[\s\S]*?\}\})/)) {
      text += part.startsWith("${{") ? (await this.#evaluate(part.slice(3, -2), contexts, status)).text : part;
    }
    return text;
  }

  #evaluate(expression: string, contexts: ExpressionContexts, status: JobStatus): Promise<ExpressionValue> {
    return this.#evaluator.evaluate(expression.trim(), contexts, status);
  }
}

function requireKnownKeys(what: string, value: object, known: ReadonlySet<string>): void {
  const unknown = Object.keys(value).filter((key) => !known.has(key));
  if (unknown.length > 0) {
    throw new Error(`${what} has ${unknown.join(", ")}, which the tests cannot interpret`);
  }
}
