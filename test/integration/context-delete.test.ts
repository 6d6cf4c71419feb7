import { clearContext, createContext } from "../../provider/api/contexts";
import { AgbAuthenticationError } from "../../provider/api/errors";
import { createOwnedContext, deleteContext } from "../../provider/lifecycle/context";
import { openClient } from "../support/agb-client";
import { startOneContext, startRun } from "../support/context-run";
import { upload } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

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
