// Runs a `run` step like a runner on Linux: same shell and flags, and files for outputs and summary.

import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runBounded } from "./bounded-process";
import type { PreparedStep, StepResult } from "./workflow-job";

/** The result of a step, with everything that it printed. */
export interface BashStepResult extends StepResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A runner's machine with an empty checkout. */
export class Runner {
  readonly root: string;
  /** The checkout. */
  readonly workspace: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  private constructor(root: string, environment: NodeJS.ProcessEnv) {
    this.root = root;
    this.workspace = join(root, "workspace");
    this.#environment = environment;
  }

  /** @param environment what the runner itself sets, such as PATH. The caller must close the runner. */
  static async create(environment: NodeJS.ProcessEnv): Promise<Runner> {
    const runner = new Runner(await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-runner-"))), environment);
    await mkdir(runner.workspace);
    return runner;
  }

  /** Runs the command of a step. @throws Error when it is killed, with all that it started, by the signal */
  async run(step: PreparedStep, signal?: AbortSignal): Promise<BashStepResult> {
    const [script, output, summary] = ["step.sh", "output", "summary"].map((name) => join(this.root, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(script, step.command);
    await writeFile(output, "");
    await writeFile(summary, "");
    const result = runBounded("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
      directory: join(this.workspace, step.workingDirectory),
      environment: {
        ...this.#environment,
        CI: "true",
        GITHUB_ACTIONS: "true",
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        ...step.environment,
      },
      timeoutMs: 170_000,
      signal: signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]),
    });
    this.#running = result.catch(() => undefined);
    const ended = await result;
    return { ...ended, outcome: ended.exitCode === 0 ? "success" : "failure", outputs: await this.#outputs(output) };
  }

  /** What the last step wrote into the job's summary. */
  summary(): Promise<string> {
    return readFile(join(this.root, "summary"), "utf8");
  }

  /** Ends what still runs and removes all files. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the runner is closed"));
    await this.#running;
    await rm(this.root, { recursive: true, force: true, maxRetries: 3 });
  }

  async #outputs(path: string): Promise<Record<string, string>> {
    const outputs: Record<string, string> = {};
    const text = await readFile(path, "utf8");
    for (const [, line, value, name, , block] of text.matchAll(/^([\w-]+)=(.*)$|^([\w-]+)<<(\S+)\n([\s\S]*?)\n\4$/gm)) {
      outputs[line ?? name ?? ""] = value ?? block ?? "";
    }
    return outputs;
  }
}
