import { createContext, deleteContext } from "../../provider/api/contexts";
import { AgbAuthenticationError } from "../../provider/api/errors";
import { createSession, releaseSession } from "../../provider/api/sessions";
import { defaultSyncTimeoutMs, uploadBeforeRelease, waitForDownloads } from "../../provider/lifecycle/context-mounts";
import { openClient } from "../support/agb-client";
import { download, runShell } from "../support/emulator-requests";
import { imageId, item, manual, path, startMounted, startService } from "../support/mounted-contexts";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

describe("uploading before a release", () => {
  test("uploads what uploads by itself, and waits for it", async () => {
    const { clock, emulator, client, mounts, sessionId } = await startMounted({ syncDelayMs: 3_000 });
    expect(await uploadBeforeRelease(client, sessionId, mounts, clock)).toBe(true);
    expect(clock.elapsedMs()).toBeGreaterThanOrEqual(3_000);
    expect(emulator.requestCounts()["SyncContext"]).toBe(1);
  });

  test("asks nothing without mounts, or where no mount uploads by itself", async () => {
    const { server, client, clock, mounts } = await startService(() => []);
    expect(await uploadBeforeRelease(client, "session-1", [], clock)).toBe(true);
    const unwatched = mounts.map((mount) => ({ ...mount, policy: manual }));
    expect(await uploadBeforeRelease(client, "session-1", unwatched, clock)).toBe(true);
    expect(server.requests).toEqual([]);
  });

  test("carries files to the next session", async () => {
    const { clock, emulator, client, contextId, mounts, sessionId } = await startMounted({ allowExec: true });
    await runShell(emulator.url, sessionId, "cat data/a > data/b; echo first >> data/b");
    await uploadBeforeRelease(client, sessionId, mounts, clock);
    expect(await download(emulator.url, contextId, "/home/user/data/b")).toBe("textfirst\n");
    const next = await createSession(client, { imageId, labels: {}, mounts });
    await waitForDownloads(client, next.sessionId, mounts, clock);
    expect((await runShell(emulator.url, next.sessionId, "cat data/b")).stdout).toBe("textfirst\n");
  });

  test.each([
    ["one item for each mount", (old: unknown, latest: unknown) => [latest ?? old]],
    ["all items, oldest first", (old: unknown, latest: unknown) => (latest === undefined ? [old] : [old, latest])],
    ["all items, newest first", (old: unknown, latest: unknown) => (latest === undefined ? [old] : [latest, old])],
  ])("does not take an earlier success for its own where AGB shows %s", async (_what, show) => {
    const old = item();
    const { client, clock, mounts } = await startService(({ sinceTrigger }) =>
      show(
        old,
        sinceTrigger < 3
          ? undefined
          : item({ startTime: 103, status: sinceTrigger < 5 ? "Running" : "Failed", errorMessage: "no space" }),
      ),
    );
    await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toThrow(
      `the upload of ${path} to context SdkCtx-1 failed: no space`,
    );
  });

  test("does not take an upload for its own that AGB shows only at the second look", async () => {
    const old = item();
    const { client, clock, mounts } = await startService(({ look, sinceTrigger }) =>
      look === 1 ? [] : sinceTrigger < 3 ? [old] : [old, item({ startTime: 110, status: "Failed" })],
    );
    await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toThrow("AGB gave no reason");
  });

  test("does not take an earlier upload for its own whose end AGB fills in later", async () => {
    const { client, clock, mounts } = await startService(({ sinceTrigger }) =>
      sinceTrigger === 0
        ? [item({ finishTime: 0, errorMessage: null })]
        : sinceTrigger < 4
          ? [item()]
          : [item({ startTime: 110, status: "Failed", errorMessage: "no space" })],
    );
    await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toThrow("no space");
  });

  test("does not take an upload for its own that began before one that AGB showed earlier", async () => {
    const { client, clock, mounts } = await startService(({ sinceTrigger }) =>
      sinceTrigger === 0
        ? [item()]
        : sinceTrigger < 3
          ? [item({ startTime: 50, finishTime: 51 })]
          : [item({ startTime: 110, status: "Failed", errorMessage: "no space" })],
    );
    await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toThrow("no space");
  });

  test.each(["before", "after"])(
    "fails when one of two in the same second failed, listed %s the other",
    async (where) => {
      const failed = item({ status: "Failed", errorMessage: "no space" });
      const { client, clock, mounts } = await startService(({ sinceTrigger }) =>
        sinceTrigger === 0 ? [] : where === "before" ? [failed, item()] : [item(), failed],
      );
      await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toThrow("no space");
    },
  );

  describe("where AGB sends no times", () => {
    const timeless = (status: string) => item({ status, startTime: undefined, finishTime: undefined });

    test.each([
      ["the newest only", ["Success"], ["Running"], ["Success"], true],
      ["the newest only, after a failure", ["Failed"], ["Running"], ["Success"], true],
      ["the newest only, and it fails", ["Success"], ["Running"], ["Failed"], false],
      ["all, and the earlier one failed", ["Failed"], ["Failed", "Running"], ["Failed", "Success"], true],
      ["all, and the new one fails", ["Success"], ["Success", "Running"], ["Success", "Failed"], false],
      ["all, from none", [], ["Running"], ["Success"], true],
    ] as const)("sees the end of its own after it was running: %s", async (_what, before, during, after, succeeds) => {
      const { client, clock, mounts } = await startService(({ sinceTrigger }) =>
        (sinceTrigger === 0 ? before : sinceTrigger < 3 ? during : after).map(timeless),
      );
      const outcome = await uploadBeforeRelease(client, "session-1", mounts, clock).catch(({ message }) => message);
      expect(outcome).toEqual(succeeds ? true : expect.stringContaining("AGB gave no reason"));
    });

    test("does not take an earlier success for its own when it sees nothing running", async () => {
      const { client, clock, mounts } = await startService(() => [timeless("Success")]);
      await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toThrow(
        "AGB does not show any upload of it after 300000 ms",
      );
    });
  });

  test("does not say that AGB showed no upload when it showed one that was running", async () => {
    const { client, clock, mounts } = await startService(({ sinceTrigger }) =>
      sinceTrigger === 1 ? [item({ status: "Running" })] : [],
    );
    await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toThrow(
      "AGB showed that its upload was running, but not how it ended after 300000 ms",
    );
  });

  test("sees an upload that takes less than a second, right after another one", async () => {
    const { clock, emulator, client, mounts, sessionId } = await startMounted();
    for (let times = 0; times < 3; times++) {
      expect(await uploadBeforeRelease(client, sessionId, mounts, clock)).toBe(true);
    }
    expect(clock.elapsedMs()).toBeLessThan(10_000);
    expect(emulator.requestCounts()["SyncContext"]).toBe(3);
  });

  test("waits for an upload that is going on already before it starts its own", async () => {
    const triggeredAfter: number[] = [];
    const { client, clock, mounts } = await startService(({ look, sinceTrigger }) => {
      if (sinceTrigger === 1) {
        triggeredAfter.push(look - 1);
      }
      return sinceTrigger > 0
        ? [item({ startTime: 110 })]
        : [item({ status: look < 4 ? "Running" : "Success", finishTime: look < 4 ? 0 : 104 })];
    });
    expect(await uploadBeforeRelease(client, "session-1", mounts, clock)).toBe(true);
    expect(triggeredAfter[0]).toBeGreaterThan(4);
  });

  test("fails when an earlier upload does not end, without starting its own", async () => {
    const { server, client, clock, mounts } = await startService(() => [item({ status: "Running", finishTime: 0 })]);
    await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toThrow(
      "an earlier upload is still going on after 300000 ms",
    );
    expect(server.operations()).not.toContain("SyncContext");
  });

  test("fails where the status never stands still", async () => {
    const { client, clock, mounts } = await startService(({ look }) => [item({ startTime: look })]);
    await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toMatchObject({
      failures: [{ isTimeout: true }],
    });
  });

  test.each([
    ["nothing at all", []],
    ["the earlier success only", [item()]],
    ["no upload but a download", [item({ taskType: "download" })]],
    ["an upload that does not end", undefined],
  ])("fails where AGB shows %s after the trigger", async (_what, items) => {
    const { client, clock, mounts } = await startService(
      ({ sinceTrigger }) => items ?? (sinceTrigger > 0 ? [item({ status: "Running" })] : []),
    );
    await expect(uploadBeforeRelease(client, "session-1", mounts, clock)).rejects.toMatchObject({
      name: "AgbContextSyncError",
      failures: [{ isTimeout: true }],
    });
    expect(clock.elapsedMs()).toBe(defaultSyncTimeoutMs);
  });

  test.each(["oldest", "newest"])(
    "that was started twice waits for both, and the later one counts (%s first)",
    async (first) => {
      const { server, client, clock, mounts } = await startService(({ sinceTrigger }) => {
        const earlier = item({ status: "Failed" });
        const later = item({ startTime: 102, status: sinceTrigger < 3 ? "Running" : "Success" });
        return sinceTrigger === 0 ? [] : first === "oldest" ? [earlier, later] : [later, earlier];
      });
      expect(await uploadBeforeRelease(client, "session-1", mounts, clock)).toBe(true);
      expect(server.operations().filter((operation) => operation === "GetContextInfo")).toHaveLength(5);
    },
  );

  test("whose trigger's reply is lost asks again and succeeds", async () => {
    const { clock, emulator, client, mounts, sessionId } = await startMounted();
    emulator.addFault({ operation: "SyncContext", calls: 1, when: "after", answer: "reset" });
    expect(await uploadBeforeRelease(client, sessionId, mounts, clock)).toBe(true);
  });

  test("has nothing to upload when the session is gone, before or after the trigger", async () => {
    const { clock, client, mounts, sessionId } = await startMounted();
    await releaseSession(client, sessionId);
    expect(await uploadBeforeRelease(client, sessionId, mounts, clock)).toBe(false);
    for (const goneFor of ["SyncContext", "GetContextInfo"]) {
      const server = await startScriptedServer(({ path: called }, response, call) =>
        called.endsWith(goneFor) && call > 1
          ? sendRefusal(response, "InvalidMcpSession.NotFound")
          : sendSuccess(response, { data: {} }),
      );
      const goneMounts = [{ contextId: "SdkCtx-1", path }];
      expect(await uploadBeforeRelease(openClient(server.url), "session-1", goneMounts, clock)).toBe(false);
    }
  });

  test("fails when the context is gone: its files would be lost", async () => {
    const { clock, client, contextId, mounts, sessionId } = await startMounted();
    await deleteContext(client, contextId);
    await expect(uploadBeforeRelease(client, sessionId, mounts, clock)).rejects.toThrow(
      `the upload of ${path} to context ${contextId} failed: the context no longer exists`,
    );
  });

  test("asks for every mount although AGB refuses some, waits for the others and reports all", async () => {
    const { clock, emulator, client, contextId, sessionId } = await startMounted();
    const others = [await createContext(client, "other"), await createContext(client, "third")];
    const mounts = [
      { contextId: "SdkCtx-never", path: "/a" },
      ...others.map((other, index) => ({ contextId: other.contextId, path: `/b${index}` })),
      { contextId, path },
    ];
    emulator.addFault({
      operation: "SyncContext",
      calls: 2,
      answer: { status: 400, body: { success: false, code: "Busy", message: "try later" } },
    });
    emulator.addFault({ operation: "contextUpload", errorMessage: "disk full" });
    const failure = uploadBeforeRelease(client, sessionId, mounts, clock);
    await expect(failure).rejects.toMatchObject({
      name: "AgbContextSyncError",
      failures: [
        { contextId: "SdkCtx-never", path: "/a", reason: "the context no longer exists" },
        { path: "/b0", reason: expect.stringContaining("AGB refused SyncContext: try later") },
        { path: "/b1", isTimeout: false },
        { contextId, path, reason: "disk full" },
      ],
    });
    expect(emulator.requestCounts()["SyncContext"]).toBe(4);
  });

  test("with a wrong key or in an outage is an error and never taken for done", async () => {
    const { clock, emulator, client, mounts, sessionId } = await startMounted();
    const fault = emulator.addFault({ operation: "SyncContext", answer: { status: 503 } });
    await expect(uploadBeforeRelease(client, sessionId, mounts, clock)).rejects.toThrow("HTTP 503");
    fault.remove();
    emulator.setApiKeys(["another-key"]);
    await expect(uploadBeforeRelease(client, sessionId, mounts, clock)).rejects.toBeInstanceOf(AgbAuthenticationError);
  });

  test("keeps the limit of its client", async () => {
    const { client, clock, mounts } = await startService(() => [item({ status: "Running" })]);
    const ending = client.within(200);
    const failure = uploadBeforeRelease(ending, "session-1", mounts, clock, Number.MAX_SAFE_INTEGER);
    await expect(failure).rejects.toThrow(/an earlier upload is still going on|AGB did not answer/);
  });
});
