// Preview environments as CI jobs create them: each job is the real command in a fresh copy of the project, with the real
// engine. All tests of a file share one backend, one AGB and one forge, because engine runs take long.

import { setTimeout as sleep } from "node:timers/promises";
import { type Emulator, startEmulator } from "../../provider/emulator";
import { testKey } from "./agb-emulator";
import type { ProcessResult } from "./bounded-process";
import { type FakeComment, type FakeRequest, type ForgeServer, startForgeServer } from "./forge-server";
import { createPulumiProject, javascriptFiles, type PulumiProject, type RunningJob } from "./pulumi-project";
import { sendJson } from "./scripted-server";

const program = `
  const { existsSync } = require("node:fs");
  while (existsSync(process.env.TEST_HOLD_FILE ?? "")) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
  const pulumi = require("@pulumi/pulumi");
  const { AgbContext, AgbSession } = require("pulumi-agb");
  const preview = new pulumi.Config("preview");
  const name = "files-of-request-" + preview.require("request");
  new AgbContext("files", { name, adopt: true, forceDestroy: true });
  new AgbSession("web", {
    imageId: "agb-code-space-1",
    labels: { request: preview.require("request"), commit: preview.require("commit") },
  });
  exports.password = pulumi.secret("s3cret-of-the-stack");
`;

/** What is special about a world. */
export interface WorldOptions {
  /** Program of the jobs. Default: a session and a context for each request. */
  readonly program?: string;
  /** Whether sessions run tools. Default: no. */
  readonly allowExec?: boolean;
}

/** What the jobs of a test file work on. */
export class PreviewWorld {
  /** Whether the forge answers every call of this test with an error. */
  isForgeBroken = false;
  // What the forge remembers from test to test.
  readonly #requests = new Map<number, FakeRequest>();
  readonly #comments: FakeComment[] = [];
  #emulator: Emulator | undefined;
  #project: PulumiProject | undefined;
  #forge: ForgeServer | undefined;

  /** Opens the world before the tests of a file, and closes it after them. */
  constructor({ program: own = program, allowExec = false }: WorldOptions = {}) {
    beforeAll(async () => {
      this.#emulator = await startEmulator({ apiKeys: [testKey, "test-key"], releaseDelayMs: 50, allowExec });
      this.#project = await createPulumiProject({
        files: javascriptFiles(own),
        environment: {
          AGB_API_KEY: testKey,
          AGB_ENDPOINT: this.emulator.url,
          PULUMI_CONFIG_PASSPHRASE: "a passphrase",
        },
        hasStack: false,
      });
    }, 600_000);
    afterAll(async () => {
      await this.#project?.close();
      await this.#emulator?.close();
    });
    beforeEach(async () => {
      this.isForgeBroken = false;
      this.#forge = await startForgeServer({
        intercept: (_, response) => {
          if (this.isForgeBroken) {
            sendJson(response, { message: "oops" }, 500);
          }
          return this.isForgeBroken;
        },
      });
      for (const [number, { state, updatedAt }] of this.#requests) {
        this.forge.addRequest(number, state, updatedAt);
      }
      this.forge.comments.push(...this.#comments);
    });
    afterEach(() => {
      this.#comments.splice(0, this.#comments.length, ...this.forge.comments);
    });
  }

  get emulator(): Emulator {
    return present(this.#emulator);
  }

  get project(): PulumiProject {
    return present(this.#project);
  }

  /** The forge of the running test. */
  get forge(): ForgeServer {
    return present(this.#forge);
  }

  /** Opens or closes a request, for this test and all that follow. */
  setRequest(number: number, state: FakeRequest["state"], updatedAt = new Date().toISOString()): void {
    this.#requests.set(number, { state, updatedAt });
    this.forge.addRequest(number, state, updatedAt);
  }

  /** Starts a subcommand of `preview-environment` as a job. */
  start(...parameters: string[]): Promise<RunningJob> {
    return this.project.startJob(["preview-environment", ...parameters], this.forge.gitHub);
  }

  /** Runs such a job to its end. */
  async run(...parameters: string[]): Promise<ProcessResult> {
    return (await this.start(...parameters)).result;
  }

  /** Runs such a job, which must succeed. */
  async succeed(...parameters: string[]): Promise<ProcessResult> {
    const result = await this.run(...parameters);
    expect(result).toMatchObject({ exitCode: 0 });
    return result;
  }

  /** Runs `recover` as the step that follows in the job's folder. */
  async recoverIn({ checkout }: RunningJob, request: number): Promise<ProcessResult> {
    const parameters = ["preview-environment", "recover", "--request", String(request)];
    const result = await (await this.project.startJob(parameters, this.forge.gitHub, checkout)).result;
    expect(result).toMatchObject({ exitCode: 0 });
    return result;
  }

  /** The sessions that carry the labels of a request's stack. */
  sessionsOf(request: number) {
    return this.emulator.sessions().filter(({ labels }) => labels["pulumi-stack"] === `pr-${request}`);
  }

  /** The one session that carries the labels of a request's stack. */
  onlySession(request: number) {
    const sessions = this.sessionsOf(request);
    expect(sessions).toHaveLength(1);
    return present(sessions[0]);
  }

  /** The names of all contexts, in order. */
  contexts(): string[] {
    return this.emulator
      .contexts()
      .map(({ name }) => name)
      .sort();
  }

  /** The names of all stacks. */
  async stacks(): Promise<string[]> {
    const { stdout } = await this.project.succeed("stack", "ls", "--json");
    return JSON.parse(stdout).map(({ name }: { name: string }) => name);
  }

  /** Holds back what AGB does, or the reply to it, and tells when a call has come. */
  hold(operation: "createSession" | "releaseSessionAsync", when: "before" | "after", delayMs = 3_600_000) {
    const fault = this.emulator.addFault({ operation, when, delayMs, calls: 1 });
    return { reached: () => until(() => fault.struck > 0), release: () => fault.remove() };
  }
}

/** Parameters of the `up` of a request. */
export const up = (request: number, commit: string) => ["up", "--request", String(request), "--commit", commit];
/** Parameters of the `down` of a request. */
export const down = (request: number) => ["down", "--request", String(request)];

/** Waits until another process has done something. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await sleep(50);
  }
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) {
    throw new Error("it is not there: the world is opened before the first test");
  }
  return value;
}
