import { deleteContext } from "../../provider/api/contexts";
import { AgbAuthenticationError, AgbNotFoundError } from "../../provider/api/errors";
import { releaseSession } from "../../provider/api/sessions";
import { defaultSyncTimeoutMs, downloadAgain, waitForDownloads } from "../../provider/lifecycle/context-mounts";
import { testKey } from "../support/agb-emulator";
import { item, manual, path, startMounted, startService } from "../support/mounted-contexts";
import { withoutRetryDelay } from "../support/no-retry-delay";

withoutRetryDelay();

describe("waiting for downloads", () => {
  test("ends when the files are there", async () => {
    const { clock, emulator, client, mounts, sessionId } = await startMounted({ syncDelayMs: 5_000 });
    await waitForDownloads(client, sessionId, mounts, clock);
    expect(clock.elapsedMs()).toBeGreaterThanOrEqual(5_000);
    expect(emulator.requestCounts()["DescribeContextFiles"]).toBeUndefined();
  });

  test("asks nothing without mounts, or where no mount downloads by itself", async () => {
    const { server, client, clock, mounts } = await startService(() => []);
    await waitForDownloads(client, "session-1", [], clock);
    await waitForDownloads(
      client,
      "session-1",
      mounts.map((mount) => ({ ...mount, policy: manual })),
      clock,
    );
    expect(server.requests).toEqual([]);
  });

  test("waits for each mount, and not for others' items", async () => {
    const { client, clock } = await startService(({ look }) => [
      item({ taskType: "download" }),
      item({ taskType: "download", contextId: "SdkCtx-2", path: "/tmp/b/", status: look < 3 ? "Running" : "Success" }),
      item({ taskType: "download", contextId: "SdkCtx-3", status: "Running" }),
      item({ taskType: "upload", status: "Failed" }),
    ]);
    const mounts = [
      { contextId: "SdkCtx-1", path },
      { contextId: "SdkCtx-2", path: "/tmp/b" },
    ];
    await waitForDownloads(client, "session-1", mounts, clock);
    expect(clock.sleeps).toHaveLength(2);
  });

  test("that AGB has not begun yet goes on until it has", async () => {
    const { client, clock, mounts } = await startService(({ look }) =>
      look < 4 ? [] : [item({ taskType: "download" })],
    );
    await waitForDownloads(client, "session-1", mounts, clock);
    expect(clock.sleeps).toHaveLength(3);
  });

  test("is over when AGB shows nothing and the context is empty", async () => {
    for (const status of ["", "[]"]) {
      const { server, client, clock, mounts } = await startService(() => status, []);
      await waitForDownloads(client, "session-1", mounts, clock);
      expect(clock.sleeps).toEqual([]);
      expect(server.operations()).toEqual(["GetContextInfo", "DescribeContextFiles", "DescribeContextFiles"]);
    }
  });

  test("of a context with files fails when AGB never shows a download, and counts the files once", async () => {
    const { server, client, clock, mounts } = await startService(() => []);
    const failure = waitForDownloads(client, "session-1", mounts, clock);
    await expect(failure).rejects.toThrow(
      `the download of context SdkCtx-1 to ${path} failed: AGB does not show any download of it after 300000 ms`,
    );
    await expect(failure).rejects.toMatchObject({ failures: [{ isTimeout: true }] });
    expect(clock.elapsedMs()).toBe(defaultSyncTimeoutMs);
    // One count reads two pages: the second one has nothing new.
    expect(server.operations().filter((operation) => operation === "DescribeContextFiles")).toHaveLength(2);
  });

  test("that does not end fails after its time with AGB's status", async () => {
    const { client, clock, mounts } = await startService(() => [item({ taskType: "download", status: "Preparing" })]);
    const failure = waitForDownloads(client, "session-1", mounts, clock, 7_000);
    await expect(failure).rejects.toThrow("it is not over, AGB's status is Preparing after 7000 ms");
    expect(clock.elapsedMs()).toBe(7_000);
  });

  test("of which some fail says what AGB says of each, after the others ended", async () => {
    const { client, clock } = await startService(({ look }) => [
      item({ taskType: "download", status: "Failed", errorMessage: `no\u0007 space\nfor key ${testKey}` }),
      item({ taskType: "download", contextId: "SdkCtx-2", path: "/b", status: look < 3 ? "Running" : "Success" }),
      item({ taskType: "download", contextId: "SdkCtx-3", path: "/c", status: "Failed" }),
    ]);
    const mounts = [
      { contextId: "SdkCtx-1", path },
      { contextId: "SdkCtx-2", path: "/b" },
      { contextId: "SdkCtx-3", path: "/c" },
    ];
    const failure = waitForDownloads(client, "session-1", mounts, clock);
    await expect(failure).rejects.toThrow(
      `the download of context SdkCtx-1 to ${path} failed: no\\u0007 space\\nfor key [API key]; ` +
        "the download of context SdkCtx-3 to /c failed: AGB gave no reason",
    );
    await expect(failure).rejects.toMatchObject({
      sessionId: "session-1",
      direction: "download",
      failures: [
        { contextId: "SdkCtx-1", isTimeout: false },
        { contextId: "SdkCtx-3", isTimeout: false },
      ],
    });
    expect(clock.sleeps).toHaveLength(2);
  });

  test("of a context that was deleted fails, and is not taken for a session that is gone", async () => {
    const { clock, emulator, client, mounts, sessionId, contextId } = await startMounted();
    await deleteContext(client, contextId);
    const body = { success: true, data: { contextStatus: "" } };
    emulator.addFault({ operation: "GetContextInfo", answer: { status: 200, body } });
    await expect(waitForDownloads(client, sessionId, mounts, clock)).rejects.toThrow("the context does not exist");
  });

  test("does not take a status that it cannot read for done", async () => {
    const { client, clock, mounts } = await startService(() => "<html>");
    await expect(waitForDownloads(client, "session-1", mounts, clock)).rejects.toThrow("the text is not JSON");
  });

  test("fails when the session is gone, when the key is wrong and in an outage, each in its way", async () => {
    const { clock, emulator, client, mounts, sessionId } = await startMounted({ syncDelayMs: 5_000 });
    const fault = emulator.addFault({ operation: "GetContextInfo", answer: { status: 503 } });
    await expect(waitForDownloads(client, sessionId, mounts, clock)).rejects.toThrow("HTTP 503");
    fault.remove();
    await releaseSession(client, sessionId);
    await expect(waitForDownloads(client, sessionId, mounts, clock)).rejects.toBeInstanceOf(AgbNotFoundError);
    emulator.setApiKeys(["another-key"]);
    await expect(waitForDownloads(client, sessionId, mounts, clock)).rejects.toBeInstanceOf(AgbAuthenticationError);
  });
});

describe("downloading again", () => {
  test("downloads what failed, and only that", async () => {
    const { server, client, clock } = await startService(({ sinceTrigger }) => [
      item({ taskType: "download", contextId: "SdkCtx-2", path: "/b" }),
      sinceTrigger > 0
        ? item({ taskType: "download", startTime: 103, status: sinceTrigger < 3 ? "Running" : "Success" })
        : item({ taskType: "download", status: "Failed", errorMessage: "no space" }),
    ]);
    const mounts = [
      { contextId: "SdkCtx-1", path },
      { contextId: "SdkCtx-2", path: "/b" },
      { contextId: "SdkCtx-3", path: "/c", policy: manual },
    ];
    await downloadAgain(client, "session-1", mounts, clock);
    const triggers = server.requests.filter((request) => request.path.endsWith("/SyncContext"));
    expect(triggers.map(({ query }) => query)).toEqual([
      { sessionId: "session-1", contextId: "SdkCtx-1", path, mode: "download" },
    ]);
  });

  test("waits for a download that is still going on, and does not repeat it", async () => {
    const { server, client, clock, mounts } = await startService(({ look }) => [
      item({ taskType: "download", status: look < 3 ? "Running" : "Success" }),
    ]);
    await downloadAgain(client, "session-1", mounts, clock);
    expect(server.operations()).not.toContain("SyncContext");
  });

  test("that fails again says so", async () => {
    const { client, clock, mounts } = await startService(({ sinceTrigger }) => [
      item({ taskType: "download", status: "Failed", startTime: 100 + sinceTrigger, errorMessage: "no space" }),
    ]);
    await expect(downloadAgain(client, "session-1", mounts, clock)).rejects.toThrow("failed: no space");
  });

  test("finishes a session of the emulator", async () => {
    const { clock, emulator, client, mounts, sessionId } = await startMounted({ syncDelayMs: 2_000 });
    clock.advance(10_000);
    await downloadAgain(client, sessionId, mounts, clock);
    expect(emulator.requestCounts()["SyncContext"]).toBeUndefined();
  });
});
