// Deletes of sessions that mount contexts: the files go back to the contexts first.

import { systemClock } from "../../provider/lifecycle/wait";
import { testKey } from "../support/agb-emulator";
import { contextCall, createContext, download, runShell } from "../support/emulator-requests";
import { minuteMs, openMounts, path, unfinished } from "../support/mounted-session";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts, openHost } from "../support/resource-hosts";
import { captureErrorStream, said } from "../support/said";
import { declare, failureOf, openProvider, Stack } from "../support/session-stack";

withoutRetryDelay();

captureErrorStream();

describe.each(hosts)("served by the %s host", (host) => {
  describe("delete", () => {
    test("uploads first, waits for it, and then releases", async () => {
      const { clock, emulator, stack, mounted, release, operations } = await openMounts({ host, syncDelayMs: 5_000 });
      const state = await stack.create(mounted());
      const startMs = clock.elapsedMs();
      await release(state);
      expect(clock.elapsedMs() - startMs).toBeGreaterThanOrEqual(5_000);
      expect(operations().indexOf("SyncContext")).toBeLessThan(operations().indexOf("releaseSessionAsync"));
      expect(emulator.sessions()).toEqual([]);
    });

    test("uploads nothing where the policy says so", async () => {
      const { stack, contextId, release, operations } = await openMounts({ host });
      const policy = { uploadPolicy: { autoUpload: false } };
      await release(await stack.create(declare({}, { contextSyncs: [{ contextId, path, policy }] })));
      expect(operations()).not.toContain("SyncContext");
    });

    test("releases nothing when the upload fails, and says why and what to do", async () => {
      const { emulator, stack, contextId, mounted, release, operations } = await openMounts({ host });
      const state = await stack.create(mounted());
      const fault = emulator.addFault({ operation: "contextUpload", errorMessage: "disk full" });
      const { message } = await failureOf(release(state));
      expect(message).toBe(
        `could not release AgbSession "web" (session ${state.id}): the upload of ${path} to context ${contextId} failed: ` +
          "disk full. The session was not released, so no file is lost. Run the command again. To release the session " +
          "without the upload, copy the files that you need, set `releaseWithoutUpload: true` on it, run `pulumi up`, and run " +
          "the command again. Remove the option afterwards. [AGB415]",
      );
      expect(operations()).not.toContain("releaseSessionAsync");
      expect(emulator.sessions()).toMatchObject([{ sessionId: state.id, state: "RUNNING" }]);

      fault.remove();
      await release(state);
      expect(emulator.sessions()).toEqual([]);
    });

    test("releases nothing when a context is gone, because its files would be lost", async () => {
      const { emulator, stack, contextId, mounted, release } = await openMounts({ host });
      const state = await stack.create(mounted());
      await contextCall(emulator.url, "DeleteContext", { id: contextId });
      expect((await failureOf(release(state))).message).toContain("the context no longer exists");
      expect(emulator.sessions()).toHaveLength(1);
    });

    test("goes on without the files when releaseWithoutUpload says so, and tells which", async () => {
      const { emulator, stack, contextId, mounted, release } = await openMounts({ host });
      const state = await stack.create(mounted());
      emulator.addFault({ operation: "contextUpload", errorMessage: "disk full" });
      await release(await stack.update(state, mounted({ releaseWithoutUpload: true })));
      expect(said()).toContain(
        `session ${state.id} is released although its files were not uploaded: the upload of ${path} to ` +
          `context ${contextId} failed: disk full`,
      );
      expect(emulator.sessions()).toEqual([]);
    });

    test.each([
      ["a refusal", { status: 403, body: { success: false, code: "Forbidden.RAM", message: "no" } }],
      ["another refusal of the key", { status: 400, body: { success: false, code: "AccessDenied", message: "no" } }],
      ["an outage", { status: 503 }],
      ["a broken connection", "reset"],
      ["a page that is not AGB's", { status: 200, body: "<html>" }],
    ] as const)("goes on with releaseWithoutUpload after %s", async (_what, answer) => {
      for (const operation of ["SyncContext", "GetContextInfo"] as const) {
        const { emulator, stack, mounted, release } = await openMounts({ host });
        const state = await stack.create(mounted({ releaseWithoutUpload: true }));
        emulator.addFault({ operation, answer });
        await release(state);
        expect(said()).toContain(`session ${state.id} is released although its files were not uploaded: `);
        expect(emulator.sessions()).toEqual([]);
      }
    });

    test("uploads the mounts whose contexts exist when releaseWithoutUpload goes on without another one", async () => {
      const { emulator, stack, contextId, release } = await openMounts({ host, allowExec: true });
      const otherId = await createContext(emulator.url, "other");
      const contextSyncs = [
        { contextId: otherId, path: "/home/user/a" },
        { contextId, path },
      ];
      const state = await stack.create(declare({}, { contextSyncs, releaseWithoutUpload: true }));
      await runShell(emulator.url, state.id, `echo kept > ${path}/second`);
      await contextCall(emulator.url, "DeleteContext", { id: otherId });
      await release(state);
      expect(said()).toContain(`the upload of /home/user/a to context ${otherId} failed: the context no longer exists`);
      expect(await download(emulator.url, contextId, `${path}/second`)).toBe("kept\n");
    });

    test("of a session that is being replaced goes on without the files when the program says so by now", async () => {
      const { clock, emulator, stack, contextId, mounted, release } = await openMounts({ host });
      const state = await stack.create(mounted());
      await contextCall(emulator.url, "DeleteContext", { id: contextId });
      expect((await failureOf(release(state))).message).toContain("`releaseWithoutUpload: true`");

      const nextRun = new Stack(openProvider(emulator.url, clock, {}, host), emulator);
      const replacement = { contextSyncs: [{ contextId: "SdkCtx-other", path }], releaseWithoutUpload: true };
      expect(await nextRun.diff(state, mounted(replacement))).toMatchObject({ replaces: ["contextSyncs"] });
      await nextRun.provider.delete(state.id, state.outputs);
      expect(said()).toContain("is released although its files were not uploaded");
      expect(emulator.sessions()).toEqual([]);
    });

    test("releases nothing when of two sessions with its name only one may go without its files", async () => {
      const { emulator, stack, mounted, release } = await openMounts({ host });
      const state = await stack.create(mounted());
      emulator.addFault({ operation: "contextUpload", errorMessage: "disk full" });
      await stack.check(mounted({ releaseWithoutUpload: true }));
      expect((await failureOf(release(state))).message).toContain("disk full");
      expect(emulator.sessions()).toHaveLength(1);
    });

    test("whose upload does not end takes five minutes at most, or timeouts.delete", async () => {
      for (const [timeouts, seconds] of [
        [undefined, 300],
        [{ delete: 20 }, 20],
      ] as const) {
        const { clock, emulator, stack, mounted, release } = await openMounts({ host });
        const state = await stack.create(mounted({ timeouts, idleTimeoutSeconds: 1_800 }));
        emulator.addFault({ operation: "contextUpload", delayMs: 60 * minuteMs });
        const startMs = clock.elapsedMs();
        expect((await failureOf(release(state))).message).toMatch(
          /it is not over, AGB's status is Running after \d+ ms/,
        );
        expect(Math.round((clock.elapsedMs() - startMs) / 1_000)).toBe(seconds);
        expect(emulator.sessions()).toHaveLength(1);
      }
    });

    test("with releaseWithoutUpload leaves time for the release when the upload does not end", async () => {
      const { emulator, stack, mounted } = await openMounts({ host });
      const state = await stack.create(mounted({ releaseWithoutUpload: true, timeouts: { delete: 4 } }));
      emulator.addFault({ operation: "contextUpload", delayMs: 60 * minuteMs });
      // Real time, because a call's limit has no other.
      const { session } = openHost(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url }, systemClock);
      await session.delete(state.id, state.outputs);
      expect(said()).toContain("is released although its files were not uploaded");
      expect(emulator.sessions()).toEqual([]);
    });

    test("of a session that AGB has released has nothing to upload and is a success", async () => {
      const { emulator, stack, mounted, release, operations } = await openMounts({ host });
      const state = await stack.create(mounted());
      await emulator.release(state.id);
      await release(state);
      expect(operations()).not.toContain("SyncContext");
    });

    describe("of a session that lacks files of its contexts", () => {
      async function openPending(more: Record<string, unknown> = {}) {
        const opened = await openMounts({ host });
        opened.emulator.addFault({ operation: "contextDownload", calls: 1, errorMessage: "no space left" });
        const inputs = await opened.stack.check(opened.mounted(more));
        const { state } = await unfinished(opened.stack.provider.create(inputs), inputs);
        return { ...opened, state };
      }

      test("downloads them first, because an upload could delete them from the context", async () => {
        const { emulator, state, release } = await openPending();
        await release(state);
        const modes = emulator.requests().filter(({ operation }) => operation === "SyncContext");
        expect(modes).toHaveLength(2);
        expect(emulator.sessions()).toEqual([]);
      });

      test("releases nothing when that fails again", async () => {
        const { emulator, state, release } = await openPending();
        emulator.addFault({ operation: "contextDownload", errorMessage: "still no space" });
        const { message } = await failureOf(release(state));
        expect(message).toContain(
          "the session lacks files of its contexts, and an upload could delete those files in the contexts: the ",
        );
        expect(message).toContain("still no space. The session was not released");
        expect(message).toContain("`releaseWithoutUpload: true`");
        expect(emulator.sessions()).toHaveLength(1);
      });

      test("leaves a mount out of the upload when its context is empty, so that a wrong path can be corrected", async () => {
        const { emulator, stack, contextId, release } = await openMounts({ host, allowExec: true });
        const emptyId = await createContext(emulator.url, "empty");
        const contextSyncs = [
          { contextId: emptyId, path: "/home/a" },
          { contextId, path },
        ];
        const inputs = await stack.check(declare({}, { contextSyncs }));
        // The files are downloaded in the order of the paths.
        emulator.addFault({ operation: "contextDownload", calls: [1, 3], errorMessage: "not writable" });
        const { state } = await unfinished(stack.provider.create(inputs), inputs);
        await runShell(emulator.url, state.id, `echo kept > ${path}/second`);

        await release(state);
        expect(said()).toContain(
          `the mount /home/a of session ${state.id} is not uploaded: its download failed, and context ${emptyId} holds no files.`,
        );
        // The download of one mount, and the upload of the other one.
        expect(emulator.requestCounts()["SyncContext"]).toBe(2);
        expect(await download(emulator.url, contextId, `${path}/second`)).toBe("kept\n");
        expect(emulator.sessions()).toEqual([]);
      });

      test("releases nothing when one of two contexts whose download fails again holds files", async () => {
        const { emulator, stack, contextId, release } = await openMounts({ host });
        const emptyId = await createContext(emulator.url, "empty");
        const contextSyncs = [
          { contextId: emptyId, path: "/home/a" },
          { contextId, path },
        ];
        const inputs = await stack.check(declare({}, { contextSyncs }));
        emulator.addFault({ operation: "contextDownload", errorMessage: "not writable" });
        const { state } = await unfinished(stack.provider.create(inputs), inputs);
        expect((await failureOf(release(state))).message).toContain(
          "an upload could delete those files in the contexts",
        );
        expect(said()).toBe("");
        expect(emulator.sessions()).toHaveLength(1);
      });

      test("releases nothing while the download of an empty context still goes on", async () => {
        const { emulator, stack, release } = await openMounts({ host });
        const emptyId = await createContext(emulator.url, "empty");
        const contextSyncs = [{ contextId: emptyId, path }];
        const inputs = await stack.check(declare({}, { contextSyncs, idleTimeoutSeconds: 1_800 }));
        emulator.addFault({ operation: "contextDownload", delayMs: 60 * minuteMs });
        const { state } = await unfinished(stack.provider.create(inputs), inputs);
        expect((await failureOf(release(state))).message).toContain("an earlier download is still going on");
        expect(emulator.sessions()).toHaveLength(1);
      });

      test("is not updated when it is gone, and says how to recreate it", async () => {
        const { emulator, stack, state } = await openPending();
        await emulator.release(state.id);
        const failure = await failureOf(stack.provider.update(state.id, state.outputs, state.inputs));
        expect(failure.message).toContain("Run `pulumi up --refresh` to recreate it.");
        expect(failure["properties"]).toBeUndefined();
      });

      test("says what to do about a refused key when an update downloads again", async () => {
        const { emulator, stack, state } = await openPending();
        emulator.setApiKeys(["another-key"]);
        const failure = await failureOf(stack.provider.update(state.id, state.outputs, state.inputs));
        expect(failure.message).toContain("Check that the API key from AGB_API_KEY");
        expect(failure["properties"]).toBeUndefined();
      });

      test("says what to do about an outage when an update downloads again", async () => {
        const { emulator, stack, state } = await openPending();
        emulator.addFault({ operation: "GetContextInfo", answer: "reset" });
        const failure = await failureOf(stack.provider.update(state.id, state.outputs, state.inputs));
        expect(failure.message).toMatch(/the connection to \S+ broke during GetContextInfo/);
        expect(failure["properties"]).toBeUndefined();
      });

      test("goes on with releaseWithoutUpload, and says so", async () => {
        const { emulator, state, release } = await openPending({ releaseWithoutUpload: true });
        emulator.addFault({ operation: "contextDownload", errorMessage: "still no space" });
        await release(state);
        expect(said()).toContain("still no space");
        expect(emulator.sessions()).toEqual([]);
      });
    });
  });
});
