import { clearContext, createContext, getContext } from "../../provider/api/contexts";
import { AgbAuthenticationError } from "../../provider/api/errors";
import { createOwnedContext, deleteContext, renameContext } from "../../provider/lifecycle/context";
import { AgbContextExistsError, AgbUncertainContextError } from "../../provider/lifecycle/context-errors";
import { ContextsInUse } from "../../provider/lifecycle/contexts-in-use";
import { openClient } from "../support/agb-client";
import { isCreate, startRun } from "../support/context-run";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

describe("making a context", () => {
  test("looks for the name, then makes the context", async () => {
    const { emulator, make } = await startRun();
    const made = await make("data");
    expect(made).toMatchObject({ name: "data", wasAdopted: false });
    expect(emulator.contexts()).toMatchObject([{ contextId: made.contextId, name: "data" }]);
    expect(emulator.requestCounts()).toEqual({ GetContext: 2 });
  });

  test("refuses a name that exists, and names the context that has it", async () => {
    const { client, make } = await startRun();
    const { contextId } = await createContext(client, "data");
    const failure = make("data");
    await expect(failure).rejects.toThrow(`a context with the name "data" already exists (${contextId})`);
    await expect(failure).rejects.toMatchObject({ contextId, isTakenInThisRun: false });
  });

  test("adopts a context that has the name when it is asked to", async () => {
    const { client, make } = await startRun();
    const { contextId } = await createContext(client, "data");
    expect(await make("data", { adopt: true })).toMatchObject({ contextId, wasAdopted: true });
    expect(await make("other", { adopt: true })).toMatchObject({ name: "other", wasAdopted: false });
  });

  test.each([false, true])("twice at the same time succeeds once (adopt: %s)", async (adopt) => {
    const { emulator, make } = await startRun();
    const outcomes = await Promise.allSettled([make("data", { adopt }), make(" data ", { adopt })]);
    expect(outcomes).toMatchObject([
      { status: "fulfilled" },
      { status: "rejected", reason: { name: "AgbContextExistsError", isTakenInThisRun: true } },
    ]);
    expect(emulator.contexts()).toHaveLength(1);
  });

  test("works again after a failure, also for two names at the same time", async () => {
    const { emulator, make } = await startRun();
    emulator.addFault({ operation: "GetContext", calls: 1, answer: { status: 400 } });
    await expect(make("data")).rejects.toThrow("AGB refused GetContext");
    await Promise.all([make("data"), make("other")]);
    expect(emulator.contexts()).toHaveLength(2);
  });

  test("takes over no context that another resource of the run adopted", async () => {
    const { client, make } = await startRun();
    await createContext(client, "data");
    await make("data", { adopt: true });
    await expect(make("data", { adopt: true })).rejects.toThrow("another resource of this run owns it");
  });

  test.each(["reset", "truncate"] as const)(
    "whose reply is lost (%s) makes one context and is no error",
    async (answer) => {
      const { emulator, make } = await startRun();
      emulator.addFault({ operation: "GetContext", calls: 2, when: "after", answer });
      const made = await make("data");
      expect(made.wasAdopted).toBe(false);
      expect(emulator.contexts()).toMatchObject([{ contextId: made.contextId }]);
    },
  );

  test("finds what it made when every reply to the create is lost", async () => {
    let isMade = false;
    const server = await startScriptedServer(({ query, socket }, response) => {
      if (isCreate(query)) {
        isMade = true;
        socket.resetAndDestroy();
      } else if (isMade) {
        sendSuccess(response, { data: { id: "SdkCtx-1", name: "data", state: "available" } });
      } else {
        sendRefusal(response, "InvalidContext.NotFound");
      }
    });
    const made = await createOwnedContext(openClient(server.url), "data", { inUse: new ContextsInUse() });
    expect(made).toMatchObject({ contextId: "SdkCtx-1", wasAdopted: false });
  });

  test("says that it does not know when the look after a lost reply fails too", async () => {
    let isDown = false;
    const server = await startScriptedServer(({ query, socket }, response) => {
      isDown ||= isCreate(query);
      isDown ? socket.resetAndDestroy() : sendRefusal(response, "InvalidContext.NotFound");
    });
    const failure = createOwnedContext(openClient(server.url), "data", { inUse: new ContextsInUse() });
    await expect(failure).rejects.toBeInstanceOf(AgbUncertainContextError);
    await expect(failure).rejects.toThrow(/^it is not known whether the context "data" was created: the connection/);
  });

  test("that AGB refuses fails with AGB's words, also when AGB calls it not found", async () => {
    const server = await startScriptedServer(({ query }, response) =>
      isCreate(query)
        ? sendRefusal(response, "ContextNotFound", "no more contexts")
        : sendRefusal(response, "InvalidContext.NotFound"),
    );
    const failure = createOwnedContext(openClient(server.url), "data", { inUse: new ContextsInUse() });
    await expect(failure).rejects.toMatchObject({ name: "AgbApiError", reason: "no more contexts" });
    expect(server.requests).toHaveLength(2);
  });

  test("ends within the limit of its client, also when the look after it gets no answer", async () => {
    const server = await startScriptedServer((_, response, call) => {
      if (call === 1) {
        sendRefusal(response, "InvalidContext.NotFound");
      }
    });
    const searcher = openClient(server.url, { timeoutMs: 600_000 });
    const failure = createOwnedContext(searcher.within(800), "data", { inUse: new ContextsInUse(), searcher });
    await expect(failure).rejects.toBeInstanceOf(AgbUncertainContextError);
    expect(server.requests.map(({ query }) => query["allowCreate"])).toEqual(["false", "true", "false"]);
  });

  test("finds what it made within the limit of its client when the create gets no answer", async () => {
    const server = await startScriptedServer((_, response, call) => {
      if (call === 1) {
        sendRefusal(response, "InvalidContext.NotFound");
      } else if (call > 2) {
        sendSuccess(response, { data: { id: "SdkCtx-1", name: "data", state: "available" } });
      }
    });
    const client = openClient(server.url).within(2_000);
    const made = await createOwnedContext(client, "data", { inUse: new ContextsInUse() });
    expect(made).toMatchObject({ contextId: "SdkCtx-1", wasAdopted: false });
  });

  test("is not tried while the look fails", async () => {
    const { emulator, make } = await startRun();
    emulator.addFault({ operation: "GetContext", answer: { status: 503 } });
    await expect(make("data")).rejects.toThrow();
    expect(emulator.contexts()).toEqual([]);
  });
});

describe("seeing how a context is", () => {
  test("finds its name, and nothing once it is deleted", async () => {
    const { client, make } = await startRun();
    const { contextId } = await make("data");
    expect(await getContext(client, contextId, "older")).toMatchObject({ contextId, name: "data" });
    await deleteContext(client, contextId, { clock: new FakeClock() });
    expect(await getContext(client, contextId, "data")).toBeUndefined();
  });

  test("knows nothing with a wrong key or in an outage", async () => {
    const { emulator, client, make } = await startRun();
    const { contextId } = await make("data");
    emulator.addFault({ operation: "GetContext", answer: { status: 502, body: "<h1>Not Found</h1>" } });
    await expect(getContext(client, contextId, "data")).rejects.toThrow("HTTP 502");
    emulator.setApiKeys(["another-key"]);
    await expect(getContext(client, contextId, "data")).rejects.toBeInstanceOf(AgbAuthenticationError);
  });
});

describe("renaming a context", () => {
  test("changes the name, and once more is a success", async () => {
    const { clock, client, inUse, make } = await startRun();
    const { contextId } = await make("data");
    for (let times = 0; times < 2; times++) {
      const renamed = await renameContext(client, contextId, "new", { inUse, clock, knownName: "data" });
      expect(renamed).toMatchObject({ contextId, name: "new" });
    }
  });

  test("onto a name that another context has changes nothing", async () => {
    const { emulator, clock, client, inUse, make } = await startRun();
    const { contextId } = await make("data");
    const other = await make("other");
    const failure = renameContext(client, contextId, "other", { inUse, clock, knownName: "data" });
    await expect(failure).rejects.toBeInstanceOf(AgbContextExistsError);
    await expect(failure).rejects.toMatchObject({ contextId: other.contextId });
    expect(emulator.requestCounts()["ModifyContext"]).toBeUndefined();
  });

  test("waits while the context is being cleared", async () => {
    const { clock, client, inUse, make } = await startRun({ clearDelayMs: 5_000 });
    const { contextId } = await make("data");
    await clearContext(client, contextId);
    await renameContext(client, contextId, "new", { inUse, clock, knownName: "data" });
    expect(clock.elapsedMs()).toBeGreaterThanOrEqual(5_000);
  });

  test("of a context that is gone finds nothing", async () => {
    const { clock, client, inUse } = await startRun();
    expect(await renameContext(client, "SdkCtx-never", "new", { inUse, clock, knownName: "data" })).toBeUndefined();
  });

  test("whose reply is lost succeeds", async () => {
    const { emulator, clock, client, inUse, make } = await startRun();
    const { contextId } = await make("data");
    emulator.addFault({ operation: "ModifyContext", calls: 1, when: "after", answer: "reset" });
    await renameContext(client, contextId, "new", { inUse, clock, knownName: "data" });
    expect(emulator.contexts()).toMatchObject([{ contextId, name: "new" }]);
  });

  test("that AGB accepts and never shows is an error", async () => {
    const clock = new FakeClock();
    const server = await startScriptedServer(({ path, query }, response) => {
      if (path.endsWith("/GetContext") && query["name"] === "new") {
        sendRefusal(response, "InvalidContext.NotFound");
      } else {
        sendSuccess(response, { data: { id: "SdkCtx-1", name: "data", state: "available" } });
      }
    });
    const inUse = new ContextsInUse();
    await expect(renameContext(openClient(server.url), "SdkCtx-1", "new", { inUse, clock })).rejects.toThrow(
      "AGB accepted the rename of context SdkCtx-1, but it still has its old name after 60000 ms",
    );
  });

  test("gives it an owner, so that no other resource of the run adopts it", async () => {
    const { clock, client, inUse, make } = await startRun();
    const { contextId } = await createContext(client, "data");
    await renameContext(client, contextId, "new", { inUse, clock, knownName: "data" });
    await expect(make("new", { adopt: true })).rejects.toMatchObject({ isTakenInThisRun: true });
  });

  test("and making a context of that name at the same time gives the name to one", async () => {
    const { emulator, clock, client, inUse, make } = await startRun();
    const { contextId } = await make("data");
    const outcomes = await Promise.allSettled([
      renameContext(client, contextId, "new", { inUse, clock, knownName: "data" }),
      make("new", { adopt: true }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(emulator.contexts()).toHaveLength(1);
  });
});
