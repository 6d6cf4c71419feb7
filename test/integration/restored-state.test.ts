import fc from "fast-check";
import { type Emulator, type FaultRule, ManualClock, startEmulator } from "../../provider/emulator";
import { ownershipKeys } from "../../provider/lifecycle/ownership";
import { releaseAndWait } from "../../provider/lifecycle/session";
import { findOwnedSessions } from "../../provider/sweep/owned-sessions";
import { openClient } from "../support/agb-client";
import { hosts, openHost } from "../support/resource-hosts";
import { type Program, WholeStack } from "../support/whole-stack";

// Whatever happens to sessions and to calls: once AGB answers again, one `up` restores what is declared, and no session
// runs that nobody knows. Only where AGB could not even be asked whether a create took effect may one be left, which the
// error announced and the sweep finds.

jest.setTimeout(300_000);

const key = "ako-property-test";
/** Histories for each host. */
const runs = 150;

const resourceName = fc.constantFrom("web", "api", "jobs");
const labelKey = fc.constantFrom("team", "tier", "owner", "a b", "ü+&%");
const labelValue = fc.constantFrom("one", "two", 'quote " and \\', "100 % + &");
const labels = fc.dictionary(labelKey, labelValue, { maxKeys: 4 });
const declaration = fc.record(
  { imageId: fc.constantFrom("agb-code-space-1", "agb-browser-use-1"), labels },
  { requiredKeys: ["imageId"] },
);

const operation = fc.constantFrom(
  "createSession",
  "getMcpResource",
  "GetLabel",
  "SetLabel",
  "releaseSessionAsync",
  "getSessionInfo",
) as fc.Arbitrary<FaultRule["operation"]>;

const anyFault: fc.Arbitrary<FaultRule> = fc.record({
  operation,
  calls: fc.constantFrom(1, 2, [1, 2], "every") as fc.Arbitrary<NonNullable<FaultRule["calls"]>>,
  when: fc.constantFrom("before", "after") as fc.Arbitrary<"before" | "after">,
  answer: fc.constantFrom<NonNullable<FaultRule["answer"]>[]>(
    "reset",
    "truncate",
    { status: 500 },
    { status: 503 },
    { status: 429 },
    { status: 502, body: "<html><body>404 Not Found</body></html>" },
    { status: 404, body: "<html><body>404 Not Found</body></html>" },
    { status: 200, body: { hello: "another service" } },
    { status: 401 },
  ),
});

// When AGB itself says in its envelope that it refused a create, it is believed to have made nothing.
const refusals = [401, 429];
const fault = anyFault.filter(({ operation: name, when, answer }) => {
  const isRefusal = typeof answer === "object" && refusals.includes(answer.status);
  return !(name === "createSession" && when === "after" && isRefusal);
});

type Step =
  | { readonly kind: "declare"; readonly name: string; readonly args: Record<string, unknown> }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "drift"; readonly labels: Record<string, string>; readonly which: number }
  | { readonly kind: "release"; readonly which: number }
  | { readonly kind: "wait"; readonly minutes: number }
  | { readonly kind: "up under faults"; readonly faults: readonly FaultRule[] };

const which = fc.nat({ max: 5 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("declare" as const), name: resourceName, args: declaration }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), name: resourceName }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("drift" as const), labels, which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release" as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), minutes: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("up under faults" as const),
      faults: fc.array(fault, { minLength: 1, maxLength: 3 }),
    }),
  },
);

describe.each(hosts)("a state of the %s host that is restored on every run", (host) => {
  const time = new ManualClock();
  const clock = {
    now: () => time.now(),
    elapsedMs: () => time.now(),
    sleep: async (milliseconds: number) => time.advance(milliseconds),
  };
  const open = (stackId: string) => openHost(host, environment(), clock, stackId);
  const environment = () => ({ AGB_API_KEY: key, AGB_ENDPOINT: emulator.url });
  let emulator: Emulator;

  beforeAll(async () => {
    emulator = await startEmulator({ apiKeys: [key], clock: time });
    // Retries are meant to happen, not to be waited for.
    jest.spyOn(Math, "random").mockReturnValue(0);
    jest.spyOn(console, "error").mockImplementation(() => {});
  });

  afterAll(async () => {
    jest.restoreAllMocks();
    await emulator.close();
  });

  test(`holds after ${runs} random histories of edits, drift and faults`, async () => {
    let seed: number | undefined;
    const property = fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 10 }), async (steps) => {
      await emulator.reset();
      const stack = new WholeStack(open, emulator);
      const announced = new Set<string>();
      let program: Program = {};
      for (const next of steps) {
        program = await take(next, program, stack, announced);
      }
      emulator.clearFaults();
      expect(await stack.up(program)).toEqual([]);
      await sweep(stack, announced);
      expectRestored(stack, program);
      const calls = emulator.requests().length;
      expect(await stack.up(program)).toEqual([]);
      expectRestored(stack, program);
      const writes = emulator
        .requests()
        .slice(calls)
        .filter(({ operation: name }) => ["createSession", "SetLabel", "releaseSessionAsync"].includes(name));
      expect(writes).toEqual([]);
    });
    const result = await fc.check(property, { numRuns: runs });
    seed = result.seed;
    if (result.failed) {
      throw new Error(`seed ${seed}, path ${result.counterexamplePath}\n${fc.defaultReportMessage(result)}`);
    }
    process.stdout.write(`restored state, ${host}: ${result.numRuns} histories, seed ${seed}\n`);
  });

  async function sweep(stack: WholeStack, announced: ReadonlySet<string>): Promise<void> {
    const client = openClient(emulator.url, { apiKey: key });
    for (const { sessionId } of await findOwnedSessions(client, { project: "shop", stack: "dev" }, stack.knownIds())) {
      const orphan = emulator.sessions().find((session) => session.sessionId === sessionId);
      expect(announced).toContain(orphan?.labels[ownershipKeys.create]);
      await releaseAndWait(client, sessionId, clock);
    }
  }

  async function take(next: Step, program: Program, stack: WholeStack, announced: Set<string>): Promise<Program> {
    // An orphan whose own labels somebody takes off could be found by nobody.
    const known = stack.knownIds();
    const running = emulator.sessions().filter(({ state, sessionId }) => state === "RUNNING" && known.has(sessionId));
    switch (next.kind) {
      case "declare":
        return { ...program, [next.name]: next.args };
      case "remove":
        return Object.fromEntries(Object.entries(program).filter(([name]) => name !== next.name));
      case "drift": {
        const victim = running[next.which % Math.max(1, running.length)];
        if (victim !== undefined) {
          await emulator.setLabels(victim.sessionId, next.labels);
        }
        return program;
      }
      case "release": {
        const victim = running[next.which % Math.max(1, running.length)];
        if (victim !== undefined) {
          await emulator.release(victim.sessionId);
        }
        return program;
      }
      case "wait":
        time.advance(next.minutes * 60_000);
        return program;
      case "up under faults":
        for (const rule of next.faults) {
          emulator.addFault(rule);
        }
        for (const failure of await stack.up(program)) {
          const [, token] = /pulumi-create=([\w-]+)/.exec((failure as Error).message) ?? [];
          if (token !== undefined) {
            announced.add(token);
          }
        }
        emulator.clearFaults();
        return program;
    }
  }

  function expectRestored(stack: WholeStack, program: Program): void {
    const running = emulator.sessions().filter(({ state }) => state === "RUNNING");
    // Nothing declared is missing, nothing else is in the state, and nobody pays for a session that nobody knows.
    expect([...stack.states.keys()].sort()).toEqual(Object.keys(program).sort());
    expect(new Set(running.map(({ sessionId }) => sessionId))).toEqual(stack.knownIds());
    for (const [name, args] of Object.entries(program)) {
      const entry = stack.states.get(name);
      const session = running.find(({ sessionId }) => sessionId === entry?.id);
      const declared = (args["labels"] ?? {}) as Record<string, string>;
      expect(session?.imageId).toBe(args["imageId"]);
      expect(session?.labels).toEqual(entry?.outputs["labelsAll"]);
      expect(entry?.outputs["labels"]).toEqual(declared);
      expect(session?.labels).toEqual({
        ...declared,
        "pulumi-project": "shop",
        "pulumi-stack": "dev",
        "pulumi-stack-id": stack.id,
        "pulumi-resource": name,
        "pulumi-create": expect.stringMatching(/^\d{8}T\d{6}Z-[0-9a-f]{12}$/),
      });
    }
  }
});
