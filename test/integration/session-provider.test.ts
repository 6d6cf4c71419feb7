import { unknownValue } from "../../provider/kinds/unknown";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { openProviderObjects } from "../support/provider-objects";
import { deadAddress } from "../support/scripted-server";
import {
  provider as __provider,
  declare,
  failureOf,
  type Labels,
  openProvider,
  openStack,
  owner,
  type Properties,
  Stack,
  type State,
  sorted,
} from "../support/session-stack";

withoutRetryDelay();

/** What was written to the error stream, which Pulumi shows as a diagnostic of the run. */
let errorStream: jest.SpyInstance;

beforeEach(() => {
  errorStream = jest.spyOn(console, "error").mockImplementation();
});

describe("check", () => {
  test("names every problem at once, without a value, and does not throw", async () => {
    const { stack } = await openStack();
    const { failures } = await stack.provider.check(
      {},
      declare({ "a b": "", token: "s3cret".repeat(50) }, { imageId: "", idleTimeoutSeconds: -1 }),
    );
    expect(failures?.map(({ property }) => property)).toEqual(["", "", "", ""]);
    expect(failures?.map(({ reason }) => reason)).toEqual([
      "imageId: must not be blank",
      'labels["a b"]: the value is blank; leave the label out instead',
      "labels.token: the value has 300 characters; the limit is 256",
      "idleTimeoutSeconds: must be a whole number of seconds, 1 or more",
    ]);
  });

  test("reports broken settings as failures, all of them", async () => {
    const { session: provider } = openProviderObjects({ AGB_ENDPOINT: "ftp://agb", AGB_TIMEOUT_MS: "x" });
    const { failures } = await provider.check({}, declare());
    expect(failures?.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("No AGB API key"),
      expect.stringContaining("AGB_ENDPOINT"),
      expect.stringContaining("AGB_TIMEOUT_MS"),
    ]);
  });

  test("asks AGB nothing where the declaration is wrong", async () => {
    const { stack, emulator } = await openStack();
    await stack.provider.check({}, declare({}, { imageId: "" }));
    expect(emulator.requestCounts()).toEqual({});
  });

  test("lets a preview pass that knows nothing yet", async () => {
    const { stack } = await openStack({}, { cost: "1" });
    const inputs = await stack.check({
      imageId: unknownValue,
      labels: unknownValue,
      labelsAll: unknownValue,
      idleTimeoutSeconds: unknownValue,
      policyId: unknownValue,
      __provider,
    });
    expect(inputs.labelsAll).toBe(unknownValue);
  });
});

describe("create", () => {
  test("takes one call and leaves a session as declared with default and owner's labels", async () => {
    const { stack, emulator } = await openStack({}, { team: "all", cost: "1" });
    const state = await stack.create(
      declare({ team: "web" }, { idleTimeoutSeconds: 600, policyId: "longDuration-policy" }),
    );
    expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 1 });
    const [session] = emulator.sessions();
    expect(session).toMatchObject({
      sessionId: state.id,
      imageId: "agb-code-space-1",
      idleTimeoutSeconds: 600,
      policyId: "longDuration-policy",
      labels: { team: "web", cost: "1", ...owner, "pulumi-create": expect.stringMatching(/^20261122T164726Z-/) },
    });
    expect(state.outputs).toEqual({
      imageId: "agb-code-space-1",
      labels: { team: "web" },
      labelsAll: session?.labels,
      idleTimeoutSeconds: 600,
      policyId: "longDuration-policy",
      appInstanceId: session?.appInstanceId,
      resourceId: session?.resourceId,
      service: emulator.url,
      __provider,
    });
  });

  test("holds no link, token or key in the state", async () => {
    const { stack, emulator } = await openStack();
    // The address of the service is what is left of an emulator that keeps no state.
    const state = JSON.stringify(await stack.create()).replaceAll(emulator.url, "the service");
    expect(state).not.toContain(testKey);
    expect(state).not.toMatch(/https?:|authcode|ticket|wsUrl/i);
  });

  test("of an unknown image tells AGB's words, the resource and what to look at", async () => {
    const { stack } = await openStack();
    const error = await failureOf(stack.create(declare({}, { imageId: "nonsense" })));
    expect(error.message).toMatch(/^could not create AgbSession "web": AGB refused createSession: .*nonsense/);
    expect(error.message).toContain("Check imageId and policyId");
    expect(error.stack).not.toContain(".ts:");
  });

  test("at an endpoint where nobody answers names the endpoint", async () => {
    const address = await deadAddress();
    const stack = new Stack(openProvider(`http://${address}`, new FakeClock()), await startTestEmulator());
    const error = await failureOf(stack.provider.create({ ...declare(), labels: {}, labelsAll: owner }));
    expect(error.message).toContain(`no connection to http://${address}`);
    expect(error.message).toContain(`The endpoint is http://${address}, from AGB_ENDPOINT;`);
  });

  test("whose reply is lost does not lose the session", async () => {
    const { stack, emulator } = await openStack();
    emulator.addFault({ operation: "createSession", when: "after", answer: "reset" });
    const state = await stack.create();
    expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([state.id]);
    expect(state.outputs.labelsAll).toEqual(emulator.sessions()[0]?.labels);
  });

  test("makes a second session beside the first when a resource is replaced, and never adopts the old one", async () => {
    const { stack, emulator } = await openStack();
    const first = await stack.create();
    const second = await stack.create();
    expect(second.id).not.toBe(first.id);
    expect(emulator.sessions()).toHaveLength(2);
  });
});

describe("a refresh", () => {
  test.each([
    ["with labels", declare()],
    ["without labels", declare({})],
    ["with everything", declare({ team: "web" }, { idleTimeoutSeconds: 600, policyId: "p" })],
  ])("of a session that nobody touched changes no byte, the first time and later: %s", async (_, news) => {
    const { stack, emulator } = await openStack({}, { cost: "1" });
    const created = await stack.create(news);
    const once = await stack.refresh(created);
    const twice = once && (await stack.refresh(once));
    expect(sorted(once)).toBe(sorted(created));
    expect(sorted(twice)).toBe(sorted(created));
    expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 1, getMcpResource: 2, GetLabel: 2 });
    expect(await stack.diff(created, news)).toEqual({ changes: false });
  });

  test("of a session that is gone takes it out of the state", async () => {
    const { stack, emulator } = await openStack();
    const state = await stack.create();
    await emulator.release(state.id);
    expect(await stack.refresh(state)).toBeUndefined();
  });

  test("of a session that AGB released for idleness takes it out of the state", async () => {
    const { stack, clock } = await openStack();
    const state = await stack.create();
    clock.advance(301_000);
    expect(await stack.refresh(state)).toBeUndefined();
  });

  test("with a wrong key fails, names where the key came from and never takes the session for gone", async () => {
    const { stack, emulator } = await openStack();
    const state = await stack.create();
    await emulator.release(state.id);
    emulator.setApiKeys(["another-key"]);
    const error = await failureOf(stack.refresh(state));
    expect(error.message).toContain(`could not refresh AgbSession "web" (session ${state.id})`);
    expect(error.message).toContain("The key came from AGB_API_KEY");
    expect(error.message).not.toContain(testKey);
  });

  test("while AGB fails is an error, never a session that is gone", async () => {
    const { stack, emulator } = await openStack();
    const state = await stack.create();
    emulator.addFault({ operation: "getMcpResource", answer: { status: 500 } });
    expect((await failureOf(stack.refresh(state))).message).toContain("AGB refused getMcpResource");
  });

  test("reads what a create could not read because its reply was lost", async () => {
    const { stack, emulator } = await openStack();
    emulator.addFault({ operation: "createSession", when: "after", answer: "reset" });
    const fault = emulator.addFault({ operation: "getSession", answer: { status: 500 } });
    const state = await stack.create();
    expect(state.outputs["appInstanceId"]).toBeUndefined();
    fault.remove();
    const [session] = emulator.sessions();
    expect((await stack.refresh(state))?.outputs).toMatchObject({
      appInstanceId: session?.appInstanceId,
      resourceId: session?.resourceId,
    });
  });

  test("fails in the same words whether or not the state names the resource", async () => {
    const { stack, emulator } = await openStack();
    emulator.setApiKeys(["another-key"]);
    const error = await failureOf(stack.provider.read("session-1", {}));
    expect(error.message).toMatch(/^could not look up AgbSession \(session session-1\): /);
    expect(error.message).not.toContain("stays in the state");
    const refresh = await failureOf(stack.provider.read("session-1", { labelsAll: {} }));
    expect(refresh.message).toMatch(/^could not refresh AgbSession \(session session-1\): /);
  });
});

describe("drift", () => {
  const defaults = { cost: "1" };
  const drifts: [string, (labels: Labels) => Labels][] = [
    ["a declared label has another value", (labels) => ({ ...labels, team: "ops" })],
    ["a declared label is gone", ({ team: _, ...labels }) => labels],
    ["a label came from elsewhere", (labels) => ({ ...labels, foreign: "x" })],
    ["a default label has another value", (labels) => ({ ...labels, cost: "2" })],
    ["a default label is gone", ({ cost: _, ...labels }) => labels],
    ["an owner's label has another value", (labels) => ({ ...labels, "pulumi-stack": "other" })],
    ["an owner's label is gone", ({ "pulumi-resource": _, ...labels }) => labels],
    ["the create label is gone", ({ "pulumi-create": _, ...labels }) => labels],
    ["all labels are gone", () => ({})],
    ["all labels are others", () => ({ a: "1", b: "2" })],
  ];

  test.each(drifts)("is seen, stays the same when looked at again, and is repaired: %s", async (_, change) => {
    const { stack, emulator } = await openStack({}, defaults);
    const created = await stack.create();
    const original = stack.labelsOf(created) ?? {};
    await emulator.setLabels(created.id, change({ ...original }));

    const seen = await stack.refresh(created);
    expect(seen?.outputs.labelsAll).toEqual(stack.labelsOf(created));
    const seenAgain = seen && (await stack.refresh(seen));
    expect(sorted(seenAgain)).toBe(sorted(seen));

    const difference = await stack.diff(seen as State);
    expect(difference.changes).not.toBe(false);
    expect(difference.replaces ?? []).toEqual([]);

    const repaired = await stack.update(seen as State);
    expect({ ...stack.labelsOf(created), "pulumi-create": "" }).toEqual({ ...original, "pulumi-create": "" });
    expect(repaired.outputs.labels).toEqual({ team: "web" });
    expect(await stack.diff(repaired)).toEqual({ changes: false });
    expect(sorted(await stack.refresh(repaired))).toBe(sorted(repaired));
  });

  test.each(drifts)("shows in the inputs too, so that a preview can print it: %s", async (title, change) => {
    const { stack, emulator } = await openStack({}, defaults);
    const created = await stack.create();
    await emulator.setLabels(created.id, change({ ...stack.labelsOf(created) }));
    const seen = await stack.refresh(created);
    const { "pulumi-create": _, ...expected } = { ...stack.labelsOf(created) };
    expect(seen?.inputs.labelsAll).toEqual(expected);
    // The create label is no input: the diff finds that it is gone from the outputs.
    expect(sorted(seen?.inputs) === sorted(created.inputs)).toBe(title === "the create label is gone");
  });

  test("that its owner takes over by declaring it is none any more", async () => {
    const { stack, emulator } = await openStack();
    const created = await stack.create();
    await emulator.setLabels(created.id, { ...stack.labelsOf(created), foreign: "x" });
    const seen = await stack.refresh(created);
    expect(await stack.diff(seen as State, declare({ team: "web", foreign: "x" }))).toEqual({ changes: false });
  });

  test("in a label that was a default and is now declared goes the declared way", async () => {
    const { stack, emulator } = await openStack({}, defaults);
    const created = await stack.create(declare({ team: "web", cost: "7" }));
    await emulator.setLabels(created.id, { ...stack.labelsOf(created), cost: "8" });
    const seen = await stack.refresh(created);
    expect(seen?.inputs.labels).toEqual({ team: "web", cost: "8" });
  });

  test("seen twice in the same default label does not make it a declared one", async () => {
    const { stack, emulator } = await openStack({}, defaults);
    const created = await stack.create();
    const { cost: _, ...without } = { ...stack.labelsOf(created) };
    await emulator.setLabels(created.id, without);
    const missing = await stack.refresh(created);
    await emulator.setLabels(created.id, { ...without, cost: "1" });
    const back = await stack.refresh(missing as State);
    expect(stack.labelsOf(created)).toMatchObject(defaults);
    const repaired = await stack.update(back as State);
    expect(repaired.outputs.labels).toEqual({ team: "web" });
    expect(await stack.diff(repaired)).toEqual({ changes: false });
  });
});

describe("an update", () => {
  test("sets exactly the declared labels in two calls and keeps the create label", async () => {
    const { stack, emulator } = await openStack({}, { cost: "1" });
    const state = await stack.create();
    const created = stack.labelsOf(state)?.["pulumi-create"];
    const updated = await stack.update(state, declare({ stage: "test" }));
    expect(stack.labelsOf(state)).toEqual({ stage: "test", cost: "1", ...owner, "pulumi-create": created });
    expect(updated.outputs.labelsAll).toEqual(stack.labelsOf(state));
    expect(updated.outputs["appInstanceId"]).toBe(state.outputs["appInstanceId"]);
    expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 1, SetLabel: 1, GetLabel: 1 });
  });

  test("of all labels to none keeps the owner's", async () => {
    const { stack } = await openStack();
    const state = await stack.create();
    await stack.update(state, declare({}));
    expect(Object.keys(stack.labelsOf(state) ?? {}).sort()).toEqual([
      "pulumi-create",
      "pulumi-project",
      "pulumi-resource",
      "pulumi-stack",
      "pulumi-stack-id",
    ]);
  });

  test.each(["create", "update"])(
    "without the id of the stack is refused by %s before AGB is asked to do anything",
    async (method) => {
      const { stack, emulator } = await openStack();
      const { "pulumi-stack-id": _, ...names } = owner;
      const news = { ...declare(), labelsAll: { team: "web", ...names } };
      const failure = await failureOf(
        method === "create" ? stack.create(news) : stack.update(await stack.create(), news),
      );
      expect(failure.message).toContain(
        "`--target` leaves out the resource that holds it. Run `pulumi up` once without",
      );
      expect(emulator.requestCounts()).toEqual({ ListSession: 1, ...(method === "update" && { createSession: 1 }) });
    },
  );

  test("gives a session without a create label a new one", async () => {
    const { stack, emulator } = await openStack();
    const state = await stack.create();
    await emulator.setLabels(state.id, { team: "web", ...owner });
    const seen = await stack.refresh(state);
    await stack.update(seen as State);
    expect(stack.labelsOf(state)?.["pulumi-create"]).toMatch(/^20261122T/);
  });

  test("of a session that is gone names the command that has it made again", async () => {
    const { stack, emulator } = await openStack();
    const state = await stack.create();
    await emulator.release(state.id);
    const error = await failureOf(stack.update(state, declare({ stage: "test" })));
    expect(error.message).toContain(`could not update AgbSession "web" (session ${state.id})`);
    expect(error.message).toContain("Run `pulumi up --refresh` to recreate it.");
  });

  test("whose reply is lost is made again, succeeds, and says so where Pulumi shows it", async () => {
    const { stack, emulator } = await openStack();
    const state = await stack.create();
    expect(errorStream).not.toHaveBeenCalled();
    emulator.addFault({ operation: "SetLabel", calls: 1, when: "after", answer: "reset" });
    const updated = await stack.update(state, declare({ stage: "test" }));
    expect(updated.outputs.labels).toEqual({ stage: "test" });
    expect(errorStream.mock.calls.flat()).toEqual([
      expect.stringMatching(/^agb: the connection to \S+ broke during SetLabel: .*\. This call, .* retried\.$/),
      expect.stringMatching(/^agb: \S+ answers again, after \d\.\d s\.$/),
    ]);
  });

  test("at an AGB that adds labels fails, names the label that survived, and keeps what the session has", async () => {
    const { stack } = await openStack({ setLabel: "merge" });
    const state = await stack.create(declare({ team: "s3cret" }));
    const error = await failureOf(stack.update(state, declare({ stage: "test" })));
    expect(error).toMatchObject({
      id: state.id,
      reasons: [expect.stringContaining('"team" is still there although it was dropped')],
      properties: {
        imageId: "agb-code-space-1",
        labels: { team: "s3cret", stage: "test" },
        labelsAll: stack.labelsOf(state),
        appInstanceId: state.outputs["appInstanceId"],
        __provider,
      },
    });
    expect(JSON.stringify(error["reasons"])).not.toContain("s3cret");
    const kept = { ...state, outputs: error["properties"] as Properties };
    expect((await stack.diff(kept, declare({ stage: "test" }))).changes).not.toBe(false);
    expect(sorted((await stack.refresh(kept))?.outputs)).toBe(sorted(kept.outputs));
  });
});

describe("looking a session up", () => {
  test("needs nothing but its id", async () => {
    const { stack, emulator } = await openStack();
    const { id } = await stack.create();
    const [session] = emulator.sessions();
    const found = await stack.provider.read(id, { __provider });
    expect(found).toEqual({
      id,
      props: {
        labels: { team: "web" },
        labelsAll: session?.labels,
        appInstanceId: session?.appInstanceId,
        resourceId: session?.resourceId,
        service: emulator.url,
        __provider,
      },
    });
    expect(await stack.provider.read(id)).toMatchObject({
      id,
      props: { labels: { team: "web" }, service: emulator.url },
    });
  });

  test("fails when no such session runs, and says what to do", async () => {
    const { stack, emulator } = await openStack();
    expect((await failureOf(stack.provider.read("session-that-never-was", { __provider }))).message).toBe(
      "could not look up AgbSession (session session-that-never-was): no session with this id exists at " +
        `${emulator.url} in the account of the key from AGB_API_KEY. AGB releases idle sessions. ` +
        "Give `AgbSession.get` the id of a running session, or remove it from the program.",
    );
  });

  test("and gone with the next refresh takes it out of the state: the program says whether it is needed", async () => {
    const { stack, emulator } = await openStack();
    const { id } = await stack.create();
    const { props } = await stack.provider.read(id, { __provider });
    await emulator.release(id);
    expect(await stack.provider.read(id, { ...props, __provider })).toEqual({});
  });

  test("names in a later refresh no resource, since its label tells that of the owner", async () => {
    const { stack, emulator } = await openStack();
    const { id } = await stack.create();
    const { props } = await stack.provider.read(id, { __provider });
    emulator.setApiKeys(["another-key"]);
    const { message } = await failureOf(stack.provider.read(id, { ...props, __provider }));
    expect(message).toMatch(/^could not refresh AgbSession \(session /);
  });

  test("fails when it goes in that moment", async () => {
    const { stack, emulator } = await openStack();
    const { id } = await stack.create();
    emulator.addFault({
      operation: "getSession",
      answer: { status: 400, body: { success: false, code: "InvalidMcpSession.NotFound" } },
    });
    expect((await failureOf(stack.provider.read(id, {}))).message).toContain("no session with this id exists");
  });
});

describe("delete", () => {
  test("releases the session and waits until it is gone", async () => {
    const { stack, emulator, clock } = await openStack({ releaseDelayMs: 1_000 });
    const state = await stack.create();
    await stack.provider.delete(state.id, state.outputs);
    expect(emulator.sessions()).toEqual([]);
    expect(clock.elapsedMs()).toBeLessThan(2_000);
  });

  test("of a session that is gone is a success", async () => {
    const { stack, emulator } = await openStack();
    const state = await stack.create();
    await emulator.release(state.id);
    await expect(stack.provider.delete(state.id, state.outputs)).resolves.toBeUndefined();
  });

  test("with a wrong key fails and keeps the resource", async () => {
    const { stack, emulator } = await openStack();
    const state = await stack.create();
    emulator.setApiKeys(["another-key"]);
    const error = await failureOf(stack.provider.delete(state.id, state.outputs));
    expect(error.message).toContain(`could not release AgbSession "web" (session ${state.id})`);
  });
});

test("the configuration wins over the environment, and another one makes another client", async () => {
  const [first, second] = [await startTestEmulator(), await startTestEmulator()];
  const { session: provider } = openProviderObjects({ AGB_API_KEY: testKey, AGB_ENDPOINT: first.url });
  const inputs = { ...declare(), labels: {} };
  await provider.create(inputs);
  const get = (key: string) => (key === "agb:endpoint" ? second.url : undefined);
  await provider.configure({ config: { get, require: (key) => get(key) ?? "" } });
  await provider.create(inputs);
  expect([first.sessions().length, second.sessions().length]).toEqual([1, 1]);
});
