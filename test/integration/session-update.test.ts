import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import {
  provider as __provider,
  declare,
  failureOf,
  openStack,
  owner,
  type Properties,
  type State,
  sorted,
} from "../support/session-stack";

describe.each(hosts)("served by the %s host", (host) => {
  withoutRetryDelay();

  /** What was written to the error stream, which Pulumi shows as a diagnostic of the run. */
  let errorStream: jest.SpyInstance;

  beforeEach(() => {
    errorStream = jest.spyOn(console, "error").mockImplementation();
  });

  describe("an update", () => {
    test("sets exactly the declared labels in two calls and keeps the create label", async () => {
      const { stack, emulator } = await openStack({ host }, { cost: "1" });
      const state = await stack.create();
      const created = stack.labelsOf(state)?.["pulumi-create"];
      const updated = await stack.update(state, declare({ stage: "test" }));
      expect(stack.labelsOf(state)).toEqual({ stage: "test", cost: "1", ...owner, "pulumi-create": created });
      expect(updated.outputs.labelsAll).toEqual(stack.labelsOf(state));
      expect(updated.outputs["appInstanceId"]).toBe(state.outputs["appInstanceId"]);
      expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 1, SetLabel: 1, GetLabel: 1 });
    });

    test("of all labels to none keeps the owner's", async () => {
      const { stack } = await openStack({ host });
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

    test("gives a session without a create label a new one", async () => {
      const { stack, emulator } = await openStack({ host });
      const state = await stack.create();
      await emulator.setLabels(state.id, { team: "web", ...owner });
      const seen = await stack.refresh(state);
      await stack.update(seen as State);
      expect(stack.labelsOf(state)?.["pulumi-create"]).toMatch(/^20261122T/);
    });

    test("of a session that is gone names the command that recreates it", async () => {
      const { stack, emulator } = await openStack({ host });
      const state = await stack.create();
      await emulator.release(state.id);
      const error = await failureOf(stack.update(state, declare({ stage: "test" })));
      expect(error.message).toContain(`could not update AgbSession "web" (session ${state.id})`);
      expect(error.message).toContain("Run `pulumi up --refresh` to recreate it.");
    });

    test("whose reply is lost is retried and succeeds, and Pulumi shows both", async () => {
      const { stack, emulator } = await openStack({ host });
      const state = await stack.create();
      expect(errorStream).not.toHaveBeenCalled();
      emulator.addFault({ operation: "SetLabel", calls: 1, when: "after", answer: "reset" });
      const updated = await stack.update(state, declare({ stage: "test" }));
      expect(updated.outputs.labels).toEqual({ stage: "test" });
      expect(errorStream.mock.calls.flat()).toEqual([
        expect.stringMatching(
          /^agb: the connection to \S+ broke during SetLabel: .*\. This call .* retried\. \[AGB304\]$/,
        ),
        expect.stringMatching(/^agb: \S+ answers again, after \d\.\d s\.$/),
      ]);
    });

    test("at an AGB that adds labels instead of replacing them fails, names the label that is left, and stores what the session has", async () => {
      const { stack } = await openStack({ host, setLabel: "merge" });
      const state = await stack.create(declare({ team: "s3cret" }));
      const error = await failureOf(stack.update(state, declare({ stage: "test" })));
      expect(error).toMatchObject({
        id: state.id,
        reasons: [expect.stringContaining('"team" is still there, although it was removed')],
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

  describe("a delete", () => {
    test("releases the session and waits until it is gone", async () => {
      const { stack, emulator, clock } = await openStack({ host, releaseDelayMs: 1_000 });
      const state = await stack.create();
      await stack.provider.delete(state.id, state.outputs);
      expect(emulator.sessions()).toEqual([]);
      expect(clock.elapsedMs()).toBeLessThan(2_000);
    });

    test("of a session that is gone is a success", async () => {
      const { stack, emulator } = await openStack({ host });
      const state = await stack.create();
      await emulator.release(state.id);
      await expect(stack.provider.delete(state.id, state.outputs)).resolves.toBeUndefined();
    });

    test("with a wrong key fails and keeps the resource", async () => {
      const { stack, emulator } = await openStack({ host });
      const state = await stack.create();
      emulator.setApiKeys(["another-key"]);
      const error = await failureOf(stack.provider.delete(state.id, state.outputs));
      expect(error.message).toContain(`could not release AgbSession "web" (session ${state.id})`);
    });
  });
});

test.each(["create", "update"])(
  "without the id of the stack, which a program of the dynamic host passes, is refused by %s before a request changes anything",
  async (method) => {
    const { stack, emulator } = await openStack();
    const { "pulumi-stack-id": _, ...names } = owner;
    const news = { ...declare(), labelsAll: { team: "web", ...names } };
    const failure = await failureOf(
      method === "create" ? stack.create(news) : stack.update(await stack.create(), news),
    );
    expect(failure.message).toContain("`--target` leaves out the resource that holds it. Run `pulumi up` once without");
    expect(emulator.requestCounts()).toEqual({ ListSession: 1, ...(method === "update" && { createSession: 1 }) });
  },
);
