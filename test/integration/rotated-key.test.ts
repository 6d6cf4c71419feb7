import { startTestEmulator } from "../support/agb-emulator";
import { hosts, openHost } from "../support/resource-hosts";
import { declare, failureOf, Stack, type State, sorted } from "../support/session-stack";

const oldKey = "ako-old-4711";
const newKey = "ako-new-0815";

let errorStream: jest.SpyInstance;

beforeEach(() => {
  errorStream = jest.spyOn(console, "error").mockImplementation();
});

afterEach(() => {
  jest.restoreAllMocks();
});

function expectNoKey(text: string): void {
  expect(text).not.toContain(oldKey);
  expect(text).not.toContain(newKey);
}

describe.each(hosts)("served by the %s host", (host) => {
  /** A session created with the configured key, which is then revoked. The environment has the new key. */
  async function openRotated(environment: Record<string, string> = { AGB_API_KEY: newKey }) {
    const emulator = await startTestEmulator({ apiKeys: [oldKey] });
    const objects = openHost(host, { ...environment, AGB_ENDPOINT: emulator.url });
    objects.configure({ "agb:apiKey": oldKey });
    const stack = new Stack(objects, emulator);
    const state = await stack.create();
    emulator.setApiKeys([newKey]);
    return { emulator, stack, state };
  }

  test("a refresh and a destroy use the environment's key instead, and say so once", async () => {
    const { stack, state, emulator } = await openRotated();
    expect(sorted(await stack.refresh(state))).toBe(sorted(state));
    await stack.refresh(state);
    await stack.provider.delete(state.id, state.outputs);
    expect(emulator.sessions()).toEqual([]);
    expect(errorStream.mock.calls.flat()).toEqual([
      "agb: AGB refused the key from agb:apiKey; trying the one from AGB_API_KEY. [AGB202]",
    ]);
  });

  test("many refreshes at the same time use it, and say so once", async () => {
    const { stack, state } = await openRotated();
    const seen = await Promise.all(Array.from({ length: 10 }, () => stack.refresh(state)));
    expect(new Set(seen.map(sorted))).toEqual(new Set([sorted(state)]));
    expect(errorStream).toHaveBeenCalledTimes(1);
  });

  test.each([
    ["create", (stack: Stack) => stack.create()],
    ["update", (stack: Stack, state: State) => stack.update(state, declare({ team: "ops" }))],
  ])("a %s never uses it, even after a refresh did, and names the configured key", async (_, act) => {
    const { stack, state, emulator } = await openRotated();
    await stack.refresh(state);
    const { message } = await failureOf(act(stack, state));
    expect(message).toContain("Check that the API key from agb:apiKey is valid");
    expect(message).toContain("pulumi config set --secret agb:apiKey");
    expectNoKey(message);
    expect(emulator.sessions()).toHaveLength(1);
    expect(stack.labelsOf(state)).toMatchObject({ team: "web" });
  });

  test.each([
    ["refresh", (stack: Stack, state: State) => stack.refresh(state)],
    ["delete", (stack: Stack, state: State) => stack.provider.delete(state.id, state.outputs)],
  ])("a %s that does not find the session with it fails: the session may belong to another account", async (_, act) => {
    const { stack, state, emulator } = await openRotated();
    await emulator.release(state.id);
    const { message } = await failureOf(act(stack, state));
    expect(message).toContain(
      "AGB refused the key from agb:apiKey. With the key from AGB_API_KEY, the session was not found: it is gone, or it " +
        "belongs to another account.",
    );
    expect(message).toContain("--run-program");
    expect(message).toContain(" The session stays in the state.");
    expectNoKey(message);
  });

  test('with that key, a session with onRelease "keep" is not marked as released either', async () => {
    const { stack, state, emulator } = await openRotated();
    await emulator.release(state.id);
    const kept = { ...state, outputs: { ...state.outputs, onRelease: "keep" } };
    expect((await failureOf(stack.refresh(kept))).message).toContain("another account");
  });

  test("when both keys are refused, the error names the last one", async () => {
    const { stack, state, emulator } = await openRotated();
    emulator.setApiKeys(["a-third-key"]);
    const { message } = await failureOf(stack.refresh(state));
    expect(message).toContain("Check that the API key from AGB_API_KEY is valid");
    expect(message).toContain("AGB also refused the one from agb:apiKey.");
    expect(message).toContain("--run-program");
    expect(message).toContain(" The session stays in the state.");
    expectNoKey(message);
  });

  test.each([
    ["is the same", { AGB_API_KEY: oldKey }],
    ["is not set", {}],
    ["cannot be one", { AGB_API_KEY: `${newKey}\n` }],
  ])("without another key in the environment (it %s) the refusal is reported", async (_, environment) => {
    const { stack, state } = await openRotated(environment as Record<string, string>);
    const { message } = await failureOf(stack.refresh(state));
    expect(message).toContain("Check that the API key from agb:apiKey is valid");
    expect(errorStream).not.toHaveBeenCalled();
  });

  test("after a new configuration, the configured key is tried again", async () => {
    const { stack, state } = await openRotated();
    await stack.refresh(state);
    stack.objects.configure({ "agb:apiKey": newKey });
    expect((await stack.update(state, declare({ team: "ops" }))).outputs.labels).toEqual({ team: "ops" });
  });
});
