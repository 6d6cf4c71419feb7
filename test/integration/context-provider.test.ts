// Contexts as Pulumi drives them, against the emulator.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unknownValue } from "../../provider/kinds/unknown";
import { providerReference } from "../../provider/resources/reference";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { ContextStack, declareContext, openContextStack } from "../support/context-stack";
import { deleteBehindItsBack, rename } from "../support/declared-context";
import { contextCall, createContext } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts, openHost } from "../support/resource-hosts";
import { captureErrorStream, said } from "../support/said";
import { failureOf, sorted } from "../support/session-stack";

withoutRetryDelay();

captureErrorStream();

describe.each(hosts)("served by the %s host", (host) => {
  describe("check", () => {
    test.each([
      [{ name: undefined }, "name: is required, such as build-cache [AGB102]"],
      [{ name: " " }, "name: must not be blank [AGB104]"],
      [{ name: " data" }, "name: must not begin or end with a blank [AGB104]"],
      [{ name: 5 }, "name: must be a string, not a number [AGB103]"],
      [{ adopt: "yes" }, "adopt: must be true or false, not a string [AGB103]"],
      [{ forceDestory: true }, "forceDestory: unknown property; did you mean forceDestroy? [AGB101]"],
      [{ timeouts: { read: 5 } }, "timeouts.read: unknown property; it has create, update, delete [AGB101]"],
    ])("refuses %j", async (args, problem) => {
      expect(await (await openContextStack({ host })).problems(declareContext(args))).toEqual([problem]);
    });

    test("refuses a name that two resources of a program declare, and names the other resource", async () => {
      const stack = await openContextStack({ host });
      expect(await stack.problems(declareContext({}, "first"))).toEqual([]);
      expect(await stack.problems(declareContext({}, "second"))).toEqual([
        'name: "first" already declares a context with this name; declare it once and pass it on [AGB114]',
      ]);
      expect(await stack.problems(declareContext({}, "first"))).toEqual([]);
      expect(await stack.problems(declareContext({ name: "other" }, "second"))).toEqual([]);
    });

    test("passes names that a preview does not know, also the same one twice", async () => {
      const stack = await openContextStack({ host });
      for (const resource of ["first", "second"]) {
        expect(await stack.problems(declareContext({ name: unknownValue, adopt: unknownValue }, resource))).toEqual([]);
      }
    });
  });

  describe("create", () => {
    test("makes the context; a refresh and a diff find nothing to do and no byte that differs", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      expect(stack.names()).toEqual({ [entry.id]: "data" });
      expect(Object.keys(entry.outputs).sort()).toEqual(["__provider", "__resource", "name", "service"]);
      expect(sorted(await stack.refresh(entry))).toBe(sorted(entry));
      expect(await stack.diff(entry)).toEqual({ changes: false });
    });

    test("refuses a name that exists, and says both ways on", async () => {
      const stack = await openContextStack({ host });
      const id = await createContext(stack.emulator.url, "data");
      const { message } = await failureOf(stack.create());
      expect(message).toBe(
        `could not create AgbContext "data": a context with the name "data" already exists (${id}). ` +
          "Choose another name, or set `adopt: true` to take the context over with its files. [AGB501]",
      );
      expect(stack.names()).toEqual({ [id]: "data" });
    });

    test("takes a context over with adopt, and makes one where there is none", async () => {
      const stack = await openContextStack({ host });
      const id = await createContext(stack.emulator.url, "data");
      expect((await stack.create(declareContext({ adopt: true }))).id).toBe(id);
      expect((await stack.create(declareContext({ name: "new", adopt: true }))).id).not.toBe(id);
      expect(stack.emulator.contexts()).toHaveLength(2);
    });

    test("of one name by two resources whose names the preview did not know makes one context", async () => {
      const stack = await openContextStack({ host });
      const outcomes = await Promise.allSettled(
        ["first", "second"].map((resource) => stack.provider.create(declareContext({ adopt: true }, resource))),
      );
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      const refused = outcomes.find((outcome) => outcome.status === "rejected");
      expect(String(refused?.reason.message)).toContain(
        "and another resource of this run owns it. Declare the context once and pass it to all that use it",
      );
      expect(stack.emulator.contexts()).toHaveLength(1);
    });

    test.each(["reset", "truncate"] as const)(
      "whose reply is lost (%s) is no error, and no second context",
      async (answer) => {
        const stack = await openContextStack({ host });
        stack.emulator.addFault({ operation: "GetContext", calls: 2, when: "after", answer });
        const { id } = await stack.create();
        expect(stack.names()).toEqual({ [id]: "data" });
      },
    );

    test("whose reply is lost while AGB then fails says that the context may exist, and how to go on", async () => {
      const stack = await openContextStack({ host });
      stack.emulator.addFault({ operation: "GetContext", calls: 2, when: "after", answer: "reset" });
      const later = Array.from({ length: 20 }, (_, index) => index + 3);
      stack.emulator.addFault({ operation: "GetContext", calls: later, answer: { status: 503 } });
      const { message } = await failureOf(stack.create());
      expect(message).toContain('it is not known whether the context "data" was created');
      expect(message).toContain("Run `pulumi up` again. If it says that the name exists, AGB did create the context");

      stack.emulator.clearFaults();
      stack.nextRun();
      expect((await failureOf(stack.create())).message).toContain("already exists");
      expect((await stack.create(declareContext({ adopt: true }))).id).toBe(stack.emulator.contexts()[0]?.contextId);
    });

    test("that was under way when the run ended leaves no context; one that was adopted stays", async () => {
      const stack = await openContextStack({ host });
      const adoptedId = await createContext(stack.emulator.url, "old");
      const objects = stack.nextRun();
      stack.emulator.addFault({ operation: "GetContext", when: "after", delayMs: 50 });
      const creates = [declareContext({ name: "new" }), declareContext({ name: "old", adopt: true })].map((inputs) =>
        objects.context.create(inputs),
      );
      const outcomes = Promise.allSettled(creates);
      await objects.abandonCreates();
      expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
      expect(stack.names()).toEqual({ [adoptedId]: "old" });
    });

    test("waits for a context to adopt that AGB is clearing, within timeouts.create", async () => {
      const stack = await openContextStack({ host, clearDelayMs: 30_000 });
      const id = await createContext(stack.emulator.url, "data");
      await contextCall(stack.emulator.url, "ClearContext", { id });
      const { message } = await failureOf(stack.create(declareContext({ adopt: true, timeouts: { create: 5 } })));
      expect(message).toContain(`AGB is still clearing context ${id} after 5000 ms. Wait until AGB is done`);
      expect(message).toContain("`timeouts.create`");
      expect((await stack.create(declareContext({ adopt: true }))).id).toBe(id);
    });
  });

  describe("drift", () => {
    test("another name is shown by a diff and repaired in place", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      await rename(stack, entry.id, "stranger");
      const found = await stack.refresh(entry);
      expect(found?.inputs).toMatchObject({ name: "stranger" });
      expect(found?.outputs).toMatchObject({ name: "stranger" });
      expect(await stack.diff(found as never)).toMatchObject({ replaces: [] });
      const repaired = await stack.update(found as never);
      expect(sorted(repaired)).toBe(sorted(entry));
      expect(stack.names()).toEqual({ [entry.id]: "data" });
    });

    test("a context that was deleted leaves the state, and the next create makes another one", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      await deleteBehindItsBack(stack, entry.id);
      expect(await stack.refresh(entry)).toBeUndefined();
      expect((await stack.create()).id).not.toBe(entry.id);
    });

    test("an update of a context that is gone says so and what to do", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      await deleteBehindItsBack(stack, entry.id);
      const { message } = await failureOf(stack.update(entry, declareContext({ name: "new" })));
      expect(message).toContain("Run `pulumi up --refresh` to recreate it");
    });
  });

  describe("update", () => {
    test("renames in place, and says who has the name when it is taken", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      const otherId = await createContext(stack.emulator.url, "taken");
      const { message } = await failureOf(stack.update(entry, declareContext({ name: "taken" })));
      expect(message).toContain(`a context with the name "taken" already exists (${otherId})`);
      expect(message).toContain("Choose another name, or rename or delete the other context first.");
      const renamed = await stack.update(entry, declareContext({ name: "new" }));
      expect(renamed).toMatchObject({ id: entry.id, outputs: { name: "new" } });
      expect(stack.names()).toEqual({ [entry.id]: "new", [otherId]: "taken" });
    });

    test("of what only the state holds asks AGB nothing", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      const before = stack.emulator.requestCounts();
      const { outputs } = await stack.update(entry, declareContext({ forceDestroy: true }));
      expect(outputs).toMatchObject({ forceDestroy: true });
      const { ListSession: _asked, ...after } = stack.emulator.requestCounts();
      const { ListSession: _first, ...earlier } = before;
      expect(after).toEqual(earlier);
    });
  });

  describe("a context that one resource renames while another one adopts its name", () => {
    const renamed = declareContext({ name: "renamed" }, "old");
    const adopting = declareContext({ adopt: true, forceDestroy: true }, "new");

    test("is not taken over if the program still declares it", async () => {
      const stack = await openContextStack({ host });
      const old = await stack.create(declareContext({}, "old"));
      stack.nextRun();
      await stack.diff(old, renamed);
      expect((await failureOf(stack.create(adopting))).message).toContain("another resource of this run owns it");
      await stack.update(old, renamed);
      expect(stack.names()).toEqual({ [old.id]: "renamed" });
    });

    test("is not renamed once it is taken over", async () => {
      const stack = await openContextStack({ host });
      const old = await stack.create(declareContext({}, "old"));
      stack.nextRun();
      await stack.create(adopting);
      await stack.diff(old, renamed);
      const { message } = await failureOf(stack.update(old, renamed));
      expect(message).toContain("another resource took over the context with `adopt`, so it was not changed.");
      expect(message).toContain("Remove this resource from the program");
      expect(stack.names()).toEqual({ [old.id]: "data" });
    });
  });

  describe("a refusal by AGB says what was not done and what to check", () => {
    const answer = { status: 400, body: { success: false, code: "QuotaExceeded.Context", message: "too many" } };

    test("of a create", async () => {
      const stack = await openContextStack({ host });
      stack.emulator.addFault({ operation: "GetContext", calls: 2, answer });
      const { message } = await failureOf(stack.create());
      expect(message).toContain("too many");
      expect(message).toContain("Nothing was created. Check the name, and how many contexts the account may have.");
    });

    test("of a delete", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      stack.emulator.addFault({ operation: "DeleteContext", answer });
      expect((await failureOf(stack.delete(entry))).message).toContain(
        "Nothing was deleted. A session may still mount",
      );
    });
  });

  describe("a wrong key or an outage is never taken for a context that is gone", () => {
    test.each([
      ["a wrong key", (stack: ContextStack) => stack.emulator.setApiKeys(["another-key"])],
      ["an outage", (stack: ContextStack) => void stack.emulator.addFault({ operation: "*", answer: { status: 503 } })],
      [
        "a proxy's page with the words Not Found",
        (stack: ContextStack) =>
          void stack.emulator.addFault({ operation: "*", answer: { status: 404, body: "<h1>404 Not Found</h1>" } }),
      ],
      [
        "a broken connection",
        (stack: ContextStack) => void stack.emulator.addFault({ operation: "*", answer: "reset" }),
      ],
    ])("%s", async (_, disturb) => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      disturb(stack);
      for (const work of [
        () => stack.refresh(entry),
        () => stack.provider.update(entry.id, entry.outputs, declareContext({ name: "new" })),
        () => stack.delete(entry),
      ]) {
        const { message } = await failureOf(work());
        expect(message).toMatch(/^could not (refresh|update|delete) AgbContext "data"/);
        expect(message).not.toContain("defect");
        expect(message).not.toContain(testKey);
      }
      stack.emulator.clearFaults();
      stack.emulator.setApiKeys([testKey, "test-key"]);
      expect(stack.names()).toEqual({ [entry.id]: "data" });
      expect(sorted(await stack.refresh(entry))).toBe(sorted(entry));
    });
  });

  describe("after the key was rotated", () => {
    const oldKey = "ako-old-4711";
    const newKey = "ako-new-0815";

    async function openRotated() {
      const emulator = await startTestEmulator({ apiKeys: [oldKey] });
      const stack = new ContextStack(
        emulator,
        new FakeClock(),
        { AGB_API_KEY: newKey },
        { "agb:apiKey": oldKey },
        host,
      );
      const entry = await stack.create();
      emulator.setApiKeys([newKey]);
      return { stack, entry };
    }

    test("a refresh and a delete go on with the environment's key", async () => {
      const { stack, entry } = await openRotated();
      expect(sorted(await stack.refresh(entry))).toBe(sorted(entry));
      await stack.delete(entry);
      expect(stack.names()).toEqual({});
      expect(said()).toContain("AGB refused the key from agb:apiKey; trying the one from AGB_API_KEY.");
    });

    test("a context that this key does not find may be another account's", async () => {
      const { stack, entry } = await openRotated();
      await stack.emulator.reset();
      stack.emulator.setApiKeys([newKey]);
      for (const work of [() => stack.refresh(entry), () => stack.delete(entry)]) {
        const { message } = await failureOf(work());
        expect(message).toContain("the context was not found: it is gone, or it belongs to another account");
        expect(message).toContain("The context stays in the state.");
      }
    });

    test("a create and an update never use it", async () => {
      const { stack, entry } = await openRotated();
      const update = stack.provider.update(entry.id, entry.outputs, declareContext({ name: "new" }));
      expect((await failureOf(update)).message).toContain("Check that the API key from agb:apiKey");
      const create = stack.provider.create(declareContext({ name: "more" }, "more"));
      expect((await failureOf(create)).message).toContain("Check that the API key from agb:apiKey");
      expect(stack.names()).toEqual({ [entry.id]: "data" });
    });
  });

  test("another service that does not know the context proves nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "agb-contexts-"));
    try {
      const first = await openContextStack({ host });
      const entry = await first.create();
      const second = await openContextStack({ host, statePath: join(folder, "state.json") });
      for (const work of [() => second.refresh(entry), () => second.delete(entry)]) {
        const { message } = await failureOf(work());
        expect(message).toContain("may still exist there");
        expect(message).toContain("The context stays in the state.");
      }
      expect(first.names()).toEqual({ [entry.id]: "data" });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  describe("a context that a program looks up", () => {
    const lookup = { __provider: providerReference("context") };

    test("has its name, and a refresh shows another name", async () => {
      const stack = await openContextStack({ host });
      const id = await createContext(stack.emulator.url, "data");
      const found = await stack.provider.read(id, lookup);
      expect(found).toMatchObject({ id, props: { name: "data" } });
      // A plugin is told the name of every resource, so its look-ups have inputs too. Pulumi compares them with nothing.
      expect(found.inputs === undefined).toBe(host === "dynamic");
      await rename(stack, id, "new");
      expect(await stack.provider.read(id, found.props)).toMatchObject({ props: { name: "new" } });
    });

    test("and that does not exist is an error", async () => {
      const stack = await openContextStack({ host });
      const { message } = await failureOf(stack.provider.read("SdkCtx-never", lookup));
      expect(message).toContain("could not look up AgbContext (context SdkCtx-never): no context with this id exists");
      expect(message).toContain("Look up a context that exists, or remove the look-up from the program.");
    });
  });

  test("a key that AGB repeats in its words is in no message", async () => {
    const emulator = await startTestEmulator({ clock: new FakeClock() });
    const objects = openHost(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
    const body = { success: false, code: "Busy", message: `no more contexts for ${testKey}`, httpStatusCode: 400 };
    emulator.addFault({ operation: "GetContext", answer: { status: 400, body } });
    const { message } = await failureOf(objects.context.create(declareContext()));
    expect(message).toContain("no more contexts for [API key]");
    expect(message).not.toContain(testKey);
  });
});
