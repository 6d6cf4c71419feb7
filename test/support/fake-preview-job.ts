import { createHash } from "node:crypto";
import type { AgbClient } from "../../provider/api/client";
import type { Forge, RequestState } from "../../provider/forge/forge";
import { ownerLabels } from "../../provider/lifecycle/ownership";
import { CodedError } from "../../provider/messages/coded-error";
import type { PreviewJob, ReleasingJob } from "../../provider/previews/job";
import type { CommandResult } from "../../provider/pulumi/pulumi-process";
import type { CutOffRun } from "../../provider/pulumi/run-note";
import { parseStackState, type StackState, type StateSession } from "../../provider/pulumi/stack-state";
import { typeTokens } from "../../provider/type-tokens";
import { FakeClock } from "./fake-clock";
import type { Host } from "./resource-hosts";

/** A command that succeeded and printed nothing. */
export const done: CommandResult = { exitCode: 0, stdout: "", stderr: "" };

/** A command that failed. */
export function failed(stderr: string, exitCode = 1): CommandResult {
  return { exitCode, stdout: "", stderr };
}

/** The id of a stack: in tests always the same for the same names. */
export function stackIdOf(project: string, stack: string): string {
  return createHash("sha256").update(`${project}/${stack}`).digest("hex").slice(0, 16);
}

/**
 * A stack's state with these sessions.
 *
 * @param repositories the sessions' repository labels, in the same order
 * @param host what serves the stack's resources
 */
export function stateOf(
  project: string,
  stack: string,
  sessionIds: readonly string[],
  repositories: readonly (string | undefined)[] = [],
  host: Host = "dynamic",
): StackState {
  const ids = new Set([stackIdOf(project, stack)]);
  const sessions = sessionIds.map(
    (sessionId, index): StateSession => ({
      name: `web-${index}`,
      urn: `urn:pulumi:${stack}::${project}::agb:AgbSession::web-${index}`,
      sessionId,
      imageId: "agb-code-space-1",
      labels: ownerLabels({ project, stack, resource: `web-${index}`, repository: repositories[index] }),
      idleTimeoutSeconds: undefined,
      isReleased: false,
      isExternal: false,
      service: undefined,
    }),
  );
  return {
    sessionIds: new Set(sessionIds),
    sessions,
    appOutputs: [],
    urns: new Set(sessions.map(({ urn }) => urn)),
    name: { project, stack },
    stackIds: host === "dynamic" ? ids : new Set(),
    providerIds: host === "plugin" ? ids : new Set(),
  };
}

/** The exported state of a stack with these sessions, and with contexts that have these ids. */
export function exportWithContexts(
  { name, stackIds, providerIds, sessions }: StackState,
  contextIds: readonly string[],
): StackState {
  const host: Host = providerIds.size > 0 ? "plugin" : "dynamic";
  const { project, stack } = name ?? { project: "", stack: "" };
  const row = (type: string, resource: string, id: string, outputs = {}) => ({
    urn: `urn:pulumi:${stack}::${project}::${type}::${resource}`,
    type,
    id,
    outputs,
  });
  const resources = [
    ...contextIds.map((id) => row(typeTokens.context[host], `files-${id}`, id, { contextId: id, name: "files" })),
    ...[...stackIds].map((id) => row(typeTokens.stackIdentity.dynamic, "agb", id)),
    ...[...providerIds].map((id) => row(typeTokens.provider.plugin, "default", id)),
    ...sessions.map(({ name: resource, sessionId, imageId, labels }) =>
      row(typeTokens.session[host], resource, sessionId, { imageId, labelsAll: labels }),
    ),
  ];
  return parseStackState(JSON.stringify({ version: 3, deployment: { resources } }));
}

/** The fake forge's answer about a request; an error is thrown. */
export type FakeAnswer = RequestState | Error;

/** A job with a fake engine and a fake forge, and a record of what it did and said. */
export interface FakeJob {
  readonly job: ReleasingJob & { readonly forge: Forge };
  readonly clock: FakeClock;
  /** The backend: states by stack name. */
  readonly stacks: Map<string, StackState>;
  readonly requests: Map<number, FakeAnswer>;
  /** Commands of the CLI in order, such as `destroy pr-1`. */
  readonly commands: string[];
  readonly said: string[];
  readonly warned: string[];
  /** What `output.fail` got, with codes. */
  readonly reported: string[];
  readonly summaries: string[];
  readonly published: Record<string, string>;
  /** Runs that were cut off in this folder, by stack name. */
  readonly cutOff: Map<string, CutOffRun>;
  /** The configuration of the last update. */
  readonly configuration: Record<string, string>;
  /** What was written on requests. */
  readonly comments: { request: number; markdown: string; mode: string }[];
}

/** Creates a job on an empty backend. @param pulumi replaces commands of the CLI */
export function openFakeJob(pulumi: Partial<PreviewJob["pulumi"]> = {}, more: Partial<ReleasingJob> = {}): FakeJob {
  const clock = new FakeClock();
  const stop = new AbortController();
  const fake = {
    clock,
    stacks: new Map<string, StackState>(),
    requests: new Map<number, FakeAnswer>(),
    commands: [] as string[],
    said: [] as string[],
    warned: [] as string[],
    reported: [] as string[],
    summaries: [] as string[],
    published: {} as Record<string, string>,
    cutOff: new Map<string, CutOffRun>(),
    configuration: {} as Record<string, string>,
    comments: [] as FakeJob["comments"],
  };
  const missing = failed("error: no stack named 'x' found", 6);
  const noted = (command: string, stack: string) => fake.commands.push(`${command} ${stack}`);
  const forge = {
    name: "GitHub",
    job: { url: "https://forge.test/jobs/1", repeatCommand: "gh run rerun 1" },
    async readRequest(request: number) {
      const answer = fake.requests.get(request) ?? new CodedError("GitHub has no such request.", "AGB705");
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    },
    async writeComment(request: number, _: string, markdown: string, mode = "create") {
      fake.comments.push({ request, markdown, mode });
    },
  } as Partial<Forge> as Forge;
  const job = {
    pulumi: {
      async createStack(stack: string) {
        noted("create", stack);
        fake.stacks.set(stack, fake.stacks.get(stack) ?? stateOf("shop", stack, []));
      },
      async update(stack: string, config: Readonly<Record<string, string>>) {
        noted("update", stack);
        Object.assign(fake.configuration, config);
        return done;
      },
      async destroy(stack: string) {
        noted("destroy", stack);
        return fake.stacks.delete(stack) ? done : missing;
      },
      tryLock: async () => failed("error: a stack named 'x' already exists"),
      async cancel(stack: string) {
        noted("cancel", stack);
        return fake.stacks.has(stack) ? done : missing;
      },
      async findCutOffRun(stack: string) {
        return fake.cutOff.get(stack);
      },
      exportState: async (stack: string) => fake.stacks.get(stack),
      listStacks: async () => [...fake.stacks.keys()],
      ...pulumi,
    },
    project: "shop",
    organization: undefined,
    repository: undefined,
    forge,
    environment: {},
    clock,
    pause: (milliseconds: number) => clock.sleep(milliseconds),
    signal: stop.signal,
    output: {
      say: (line: string) => fake.said.push(line),
      warn: (line: string) => fake.warned.push(line),
      fail: (text: string, code: string) => fake.reported.push(`${text} [${code}]`),
      show: () => {},
      enclose: <Result>(work: () => Promise<Result>) => work(),
      summarize: async (markdown: string) => {
        fake.summaries.push(markdown);
      },
      publish: async (name: string, value: string) => {
        fake.published[name] = value;
      },
    },
    client: undefined as unknown as AgbClient,
    withClient: <Result>(work: (client: AgbClient) => Promise<Result>) => {
      if (more.client === undefined) {
        throw new Error("this job has no client");
      }
      return work(more.client);
    },
    includesUnidentified: false,
    ...more,
  };
  return { ...fake, job: job as FakeJob["job"] };
}
