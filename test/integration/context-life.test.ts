import { clearContext, createContext, getContext } from "../../provider/api/contexts";
import { AgbAuthenticationError } from "../../provider/api/errors";
import {
  type CreateContextOptions,
  createOwnedContext,
  deleteContext,
  renameContext,
} from "../../provider/lifecycle/context";
import { AgbContextExistsError, AgbUncertainContextError } from "../../provider/lifecycle/context-errors";
import { ContextsInUse } from "../../provider/lifecycle/contexts-in-use";
import { openClient } from "../support/agb-client";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { upload } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

/** A run against an emulator: what its resources share, and both clocks in one. */
async function startRun(options: Parameters<typeof startTestEmulator>[0] = {}) {
  const clock = new FakeClock();
  // The second key is that of the plain requests that store files.
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], clock, ...options });
  const client = openClient(emulator.url);
  const inUse = new ContextsInUse();
  const make = (name: string, more: Partial<CreateContextOptions> = {}) =>
    createOwnedContext(client, name, { inUse, clock, ...more });
  return { clock, emulator, client, inUse, make };
}

const isCreate = (query: Readonly<Record<string, string>>) => query["allowCreate"] === "true";

/** A service with one context, whose state is what the script says for each look at it. */
async function startOneContext(stateOf: (look: number) => string | undefined) {
  let looks = 0;
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("/GetContext")) {
      looks += 1;
      sendSuccess(response, { data: { id: "SdkCtx-1", name: "data", state: stateOf(looks) } });
    } else {
      sendSuccess(response, { data: [], count: 0 });
    }
  });
  return { server, client: openClient(server.url), clock: new FakeClock(), inUse: new ContextsInUse() };
}

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
    await expect(failure).rejects.toThrow(`a context with the name "data" exists already (${contextId})`);
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

describe("a context that is being cleared", () => {
  test("is waited for before it is adopted", async () => {
    const { clock, client, make } = await startRun({ clearDelayMs: 5_000 });
    const { contextId } = await createContext(client, "data");
    await clearContext(client, contextId);
    expect(await make("data", { adopt: true })).toMatchObject({ contextId, state: "available", wasAdopted: true });
    expect(clock.elapsedMs()).toBeGreaterThanOrEqual(5_000);
    expect(Math.max(...clock.sleeps)).toBeLessThanOrEqual(2_000);
  });

  test.each(["clearing", "CLEARING", "pre-available"])(
    "without an end (%s) is an error after a minute",
    async (state) => {
      const { clock, client, inUse } = await startOneContext(() => state);
      for (const call of [
        () => createOwnedContext(client, "data", { inUse, clock, adopt: true }),
        () => deleteContext(client, "SdkCtx-1", { clock }),
        () => deleteContext(client, "SdkCtx-1", { clock, force: true }),
      ]) {
        const startedMs = clock.elapsedMs();
        await expect(call()).rejects.toThrow("AGB is still clearing context SdkCtx-1 after 60000 ms");
        expect(clock.elapsedMs() - startedMs).toBe(60_000);
      }
    },
  );

  test("is still being cleared while AGB names no state after it said so", async () => {
    const { clock, client, inUse } = await startOneContext((look) =>
      look === 1 ? "clearing" : look < 5 ? undefined : "available",
    );
    await createOwnedContext(client, "data", { inUse, clock, adopt: true });
    expect(clock.sleeps).toHaveLength(3);
  });

  test("is not assumed where the state is missing or unknown", async () => {
    for (const state of [undefined, "in-use", "something-new"]) {
      const { clock, client, inUse } = await startOneContext(() => state);
      await createOwnedContext(client, "data", { inUse, clock, adopt: true });
      expect(clock.sleeps).toEqual([]);
    }
  });

  test("keeps the limit that is asked for", async () => {
    const { clock, client } = await startOneContext(() => "clearing");
    await expect(deleteContext(client, "SdkCtx-1", { clock, timeoutMs: 5_000 })).rejects.toThrow("after 5000 ms");
    expect(clock.elapsedMs()).toBe(5_000);
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

describe("deleting a context", () => {
  test("that is empty makes sure that it is gone, and once more finds nothing to delete", async () => {
    const { emulator, clock, client, make } = await startRun();
    const { contextId } = await make("data");
    expect(await deleteContext(client, contextId, { clock })).toBe(true);
    expect(emulator.contexts()).toEqual([]);
    expect(await deleteContext(client, contextId, { clock })).toBe(false);
    expect(emulator.requestCounts()["DeleteContext"]).toBe(1);
  });

  test("that holds files is refused with their number, and nothing is lost", async () => {
    const { emulator, clock, client, make } = await startRun();
    const { contextId } = await make("data");
    await upload(emulator.url, contextId, "/home/deep/a", "text");
    await expect(deleteContext(client, contextId, { clock })).rejects.toThrow(`context ${contextId} holds 1 file`);
    await upload(emulator.url, contextId, "/b", "text");
    await expect(deleteContext(client, contextId, { clock })).rejects.toMatchObject({
      name: "AgbContextNotEmptyError",
      count: { files: 2, isComplete: true },
    });
    expect(emulator.contexts()).toMatchObject([{ files: [{}, {}] }]);
  });

  test("that holds files goes with them when it is forced to, without counting", async () => {
    const { emulator, clock, client, make } = await startRun();
    const { contextId } = await make("data");
    await upload(emulator.url, contextId, "/a", "text");
    expect(await deleteContext(client, contextId, { clock, force: true })).toBe(true);
    expect(emulator.contexts()).toEqual([]);
    expect(emulator.requestCounts()["DescribeContextFiles"]).toBeUndefined();
  });

  test("deletes nothing when the files cannot be counted", async () => {
    const { emulator, clock, client, make } = await startRun();
    const { contextId } = await make("data");
    emulator.addFault({ operation: "DescribeContextFiles", answer: { status: 200, body: { success: true, data: 5 } } });
    await expect(deleteContext(client, contextId, { clock })).rejects.toThrow("unexpected reply to");
    expect(emulator.contexts()).toHaveLength(1);
  });

  test("deletes nothing when there are more folders than it looks into", async () => {
    const clock = new FakeClock();
    const server = await startScriptedServer(({ path, query }, response) => {
      const folder = query["parentFolderPath"] ?? "";
      path.endsWith("/GetContext")
        ? sendSuccess(response, { data: { id: "SdkCtx-1", name: "data", state: "available" } })
        : sendSuccess(response, { data: [{ filePath: `${folder}/x`, fileType: "folder" }], count: 1 });
    });
    await expect(deleteContext(openClient(server.url), "SdkCtx-1", { clock })).rejects.toThrow(
      "context SdkCtx-1 holds files or folders, but not all of them could be listed",
    );
    expect(server.operations()).not.toContain("DeleteContext");
  });

  /** A service whose file list does not know the context. GetContext finds it until the file list was asked for. */
  async function startUnlisted(isGoneThen: boolean) {
    let isListed = false;
    return startScriptedServer(({ path }, response) => {
      if (path.endsWith("/GetContext") && !(isListed && isGoneThen)) {
        sendSuccess(response, { data: { id: "SdkCtx-1", name: "data", state: "available" } });
      } else if (path.endsWith("/DeleteContext")) {
        sendSuccess(response);
      } else {
        isListed = true;
        sendRefusal(response, "InvalidContext.NotFound", "Context not found");
      }
    });
  }

  test("deletes nothing when only the file list does not know the context", async () => {
    const server = await startUnlisted(false);
    const failure = deleteContext(openClient(server.url), "SdkCtx-1", { clock: new FakeClock() });
    await expect(failure).rejects.toThrow(
      "unexpected reply to DescribeContextFiles: it does not know a context that GetContext finds",
    );
    expect(server.operations()).not.toContain("DeleteContext");
  });

  test("that goes while its files are counted is a success", async () => {
    const server = await startUnlisted(true);
    expect(await deleteContext(openClient(server.url), "SdkCtx-1", { clock: new FakeClock() })).toBe(true);
    expect(server.operations()).not.toContain("DeleteContext");
  });

  test("waits until it is cleared, and needs no force then", async () => {
    const { emulator, clock, client, make } = await startRun({ clearDelayMs: 5_000 });
    const { contextId } = await make("data");
    await upload(emulator.url, contextId, "/a", "text");
    await clearContext(client, contextId);
    expect(await deleteContext(client, contextId, { clock })).toBe(true);
    expect(clock.elapsedMs()).toBeGreaterThanOrEqual(5_000);
  });

  test("whose reply is lost is a success", async () => {
    const { emulator, clock, client, make } = await startRun();
    const { contextId } = await make("data");
    emulator.addFault({ operation: "DeleteContext", calls: 1, when: "after", answer: "reset" });
    expect(await deleteContext(client, contextId, { clock })).toBe(true);
    expect(emulator.contexts()).toEqual([]);
  });

  test("that AGB accepts and never does is an error", async () => {
    const { server, client, clock } = await startOneContext(() => "available");
    await expect(deleteContext(client, "SdkCtx-1", { clock })).rejects.toThrow(
      "AGB accepted the delete of context SdkCtx-1, but it still exists after 60000 ms",
    );
    expect(server.operations().filter((operation) => operation === "DeleteContext")).toHaveLength(1);
  });

  test("with a wrong key or in an outage is an error and never taken for done", async () => {
    const { emulator, clock, client, make } = await startRun();
    const { contextId } = await make("data");
    const fault = emulator.addFault({ operation: "GetContext", answer: { status: 503 } });
    await expect(deleteContext(client, contextId, { clock, knownName: "data" })).rejects.toThrow("HTTP 503");
    fault.remove();
    emulator.setApiKeys(["another-key"]);
    await expect(deleteContext(client, contextId, { clock })).rejects.toBeInstanceOf(AgbAuthenticationError);
    expect(emulator.contexts()).toHaveLength(1);
  });
});
