// Sessions that mount contexts, as Pulumi drives them: the provider object of `AgbSession` against the emulator.

import { testKey } from "../support/agb-emulator";
import { createContext, download, runShell } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { minuteMs, openMounts, path, unfinished } from "../support/mounted-session";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts, openHost } from "../support/resource-hosts";
import { captureErrorStream, said } from "../support/said";
import { declare, failureOf, Stack, sorted } from "../support/session-stack";

withoutRetryDelay();

captureErrorStream();

describe.each(hosts)("served by the %s host", (host) => {
  describe("create", () => {
    test("waits until the files are there; then nothing is left to do and a refresh changes no byte", async () => {
      const { clock, stack, contextId, mounted } = await openMounts({ host, syncDelayMs: 5_000 });
      const state = await stack.create(mounted());
      expect(clock.elapsedMs()).toBeGreaterThanOrEqual(5_000);
      expect(state.outputs).toMatchObject({ contextSyncs: [{ contextId, path }] });
      expect(state.outputs).not.toHaveProperty("downloadPending");
      expect(sorted(await stack.refresh(state))).toBe(sorted(state));
      expect(await stack.diff(state, mounted())).toEqual({ changes: false });
    });

    test("sends every mount with a whole policy, whatever the program leaves out", async () => {
      const { emulator, stack, contextId } = await openMounts({ host });
      const otherId = await createContext(emulator.url, "other");
      const contextSyncs = [
        { contextId: otherId, path: "/b", policy: { downloadPolicy: { autoDownload: false } } },
        { contextId, path: "/a" },
      ];
      const state = await stack.create(declare({}, { contextSyncs }));
      expect(state.outputs).toMatchObject({ contextSyncs: [{ path: "/a" }, { path: "/b" }] });
      expect(await stack.diff(state, declare({}, { contextSyncs: [...contextSyncs].reverse() }))).toEqual({
        changes: false,
      });
    });

    test("whose download fails keeps the session in the state with AGB's reason, and the next update finishes it", async () => {
      const { emulator, stack, contextId, mounted } = await openMounts({ host });
      emulator.addFault({ operation: "contextDownload", calls: [1, 2], errorMessage: "no space left" });
      const inputs = await stack.check(mounted());

      const { state, reasons } = await unfinished(stack.provider.create(inputs), inputs);
      expect(reasons).toBe(
        `session "web" (${state.id}) runs without all files of its contexts: the download of context ` +
          `${contextId} to ${path} failed: no space left. The session stays in the state; the next \`pulumi up\` downloads ` +
          "them again. If the path cannot be written, change it in contextSyncs. [AGB413]",
      );
      expect(state.outputs).toMatchObject({ downloadPending: true, contextSyncs: [{ contextId, path }] });
      expect(emulator.sessions()).toMatchObject([{ sessionId: state.id, state: "RUNNING" }]);
      expect(sorted((await stack.refresh(state))?.outputs)).toBe(sorted(state.outputs));
      expect(await stack.diff(state, mounted())).toEqual({ changes: true });

      const again = await unfinished(stack.provider.update(state.id, state.outputs, inputs), inputs);
      expect(again.reasons).toContain("no space left");
      expect(sorted(again.state)).toBe(sorted(state));

      const finished = await stack.update(again.state, mounted());
      expect(finished.outputs).not.toHaveProperty("downloadPending");
      expect(await stack.diff(finished, mounted())).toEqual({ changes: false });
      expect(emulator.sessions()).toHaveLength(1);
    });

    test("whose download does not end takes five minutes at most, or timeouts.create", async () => {
      for (const [timeouts, seconds] of [
        [undefined, 300],
        [{ create: 20 }, 20],
      ] as const) {
        const { clock, emulator, stack, mounted } = await openMounts({ host });
        emulator.addFault({ operation: "contextDownload", delayMs: 60 * minuteMs });
        const inputs = await stack.check(mounted({ timeouts, idleTimeoutSeconds: 1_800 }));
        const { state, reasons } = await unfinished(stack.provider.create(inputs), inputs);
        expect(reasons).toMatch(/it is not over, AGB's status is Running after \d+ ms/);
        expect(state.outputs).toMatchObject({ downloadPending: true });
        expect(Math.round(clock.elapsedMs() / 1_000)).toBe(seconds);
      }
    });

    test("during whose download AGB releases the session says so, and leaves nothing in the state", async () => {
      const { emulator, stack, mounted } = await openMounts({ host });
      emulator.addFault({ operation: "contextDownload", delayMs: 60 * minuteMs });
      const failure = await failureOf(stack.create(mounted({ idleTimeoutSeconds: 60 })));
      expect(failure.message).toMatch(
        /^could not create AgbSession "web": AGB released session \S+ while it downloaded the files of its contexts\. Run/,
      );
      expect(failure["id"]).toBeUndefined();
      expect(emulator.sessions()).toEqual([]);
    });

    test("with a context that does not exist makes nothing, and says which properties to check", async () => {
      const { emulator, stack } = await openMounts({ host });
      const contextSyncs = [{ contextId: "SdkCtx-never", path }];
      const { message } = await failureOf(stack.create(declare({}, { contextSyncs })));
      expect(message).toContain("AGB refused createSession: Context not found");
      expect(message).toContain(
        "Nothing was created. Check contextSyncs: contextId is the id that AGB gave a context, not its name",
      );
      expect(message).not.toContain("deleteBeforeReplace");
      expect(emulator.sessions()).toEqual([]);
    });

    test("hides what AGB says of the key and of labels that may be secret", async () => {
      const { emulator, stack, contextId } = await openMounts({ host });
      emulator.addFault({ operation: "contextDownload", errorMessage: `no space for ${testKey} of s3cr3t-label` });
      const contextSyncs = [{ contextId, path }];
      const { message, reasons } = await failureOf(stack.create(declare({ code: "s3cr3t-label" }, { contextSyncs })));
      for (const text of [message, JSON.stringify(reasons)]) {
        expect(text).toContain("no space for");
        expect(text).not.toMatch(/s3cr3t-label|ako-/);
      }
    });

    test("of which the run does not see the end releases the session", async () => {
      /** A clock whose sleeps last until the run is over. */
      class WaitingClock extends FakeClock {
        private endSleeps: () => void = () => {};
        private readonly end = new Promise<void>((resolve) => {
          this.endSleeps = resolve;
        });
        private startSleep: () => void = () => {};
        readonly sleeping = new Promise<void>((resolve) => {
          this.startSleep = resolve;
        });

        override async sleep(): Promise<void> {
          this.startSleep();
          await this.end;
        }

        wake(): void {
          this.endSleeps();
        }
      }
      const clock = new WaitingClock();
      const { emulator, stack, mounted } = await openMounts({ host, syncDelayMs: 5_000 }, clock);
      const failure = failureOf(stack.create(mounted()));
      await clock.sleeping;
      expect(emulator.sessions()).toHaveLength(1);

      const abandoned = stack.objects.abandonCreates();
      clock.wake();
      await abandoned;
      expect((await failure).message).toContain("the run ended during the create");
      expect(emulator.sessions()).toEqual([]);
    });
  });

  describe("a refused key", () => {
    const oldKey = "ako-old-4711";
    const newKey = "ako-new-0815";

    async function openRotated() {
      const clock = new FakeClock();
      const opened = await openMounts({ host, apiKeys: [oldKey, newKey, "test-key"] }, clock);
      const objects = openHost(host, { AGB_API_KEY: newKey, AGB_ENDPOINT: opened.emulator.url }, clock);
      objects.configure({ "agb:apiKey": oldKey });
      const stack = new Stack(objects, opened.emulator);
      const state = await stack.create(opened.mounted());
      const release = () => stack.provider.delete(state.id, state.outputs);
      return { ...opened, stack, state, release };
    }

    const refusal = { status: 400, body: { success: false, code: "NOT_LOGIN", message: "no", httpStatusCode: 400 } };

    test("before the upload: the delete goes on with the environment's", async () => {
      const { emulator, release, operations } = await openRotated();
      emulator.setApiKeys([newKey]);
      await release();
      expect(operations()).toContain("SyncContext");
      expect(emulator.sessions()).toEqual([]);
      expect(said()).toContain("AGB refused the key from agb:apiKey; trying the one from AGB_API_KEY.");
    });

    test.each(["SyncContext", "GetContextInfo"] as const)(
      "during the upload (%s): it begins again",
      async (operation) => {
        const { emulator, release } = await openRotated();
        emulator.addFault({ operation, calls: 1, answer: refusal });
        await release();
        expect(emulator.sessions()).toEqual([]);
      },
    );

    test("without another one releases nothing, whatever releaseWithoutUpload says", async () => {
      const { emulator, stack, mounted, release } = await openMounts({ host });
      const state = await stack.create(mounted({ releaseWithoutUpload: true }));
      emulator.setApiKeys(["another-key"]);
      expect((await failureOf(release(state))).message).toContain("Check that the API key from AGB_API_KEY");
      expect(emulator.sessions()).toHaveLength(1);
    });
  });

  test.each([
    ["an outage", { status: 503 }],
    ["a proxy's page with the words Not Found", { status: 404, body: "<h1>404 Not Found</h1>" }],
    ["a broken connection", "reset"],
  ] as const)("%s during the upload releases nothing", async (_, answer) => {
    for (const operation of ["GetContextInfo", "SyncContext"] as const) {
      const { emulator, stack, mounted, release } = await openMounts({ host });
      const state = await stack.create(mounted());
      emulator.addFault({ operation, answer });
      const { message } = await failureOf(release(state));
      expect(message).toMatch(/^could not release AgbSession "web"/);
      expect(message).not.toContain("defect");
      expect(emulator.sessions()).toHaveLength(1);
    }
  });

  test("another service that does not know the session proves nothing", async () => {
    const first = await openMounts({ host });
    const state = await first.stack.create(first.mounted());
    const elsewhere = { ...state, outputs: { ...state.outputs, service: "https://eu.example.com" } };
    await first.emulator.release(state.id);
    expect((await failureOf(first.release(elsewhere))).message).toContain("may still exist there");
    expect((await failureOf(first.stack.refresh(elsewhere))).message).toContain("may still exist there");
  });

  describe("files", () => {
    test("of a session that AGB releases when it is idle are in the session that the next up creates", async () => {
      const { clock, emulator, stack, mounted } = await openMounts({ host, allowExec: true });
      const first = await stack.create(mounted({ idleTimeoutSeconds: 120 }));
      expect((await runShell(emulator.url, first.id, `cat ${path}/first`)).stdout).toBe("text");
      await runShell(emulator.url, first.id, `mkdir ${path}/deep; echo kept > ${path}/deep/second; rm ${path}/first`);

      clock.advance(5 * minuteMs);
      expect(emulator.sessions()).toEqual([]);
      expect(await stack.refresh(first)).toBeUndefined();
      const second = await stack.create(mounted({ idleTimeoutSeconds: 120 }));

      expect(second.id).not.toBe(first.id);
      expect((await runShell(emulator.url, second.id, `cat ${path}/deep/second; ls ${path}`)).stdout).toBe(
        "kept\ndeep\n",
      );
    });

    test("of a session that is replaced or deleted are in the context before it is gone", async () => {
      const { emulator, stack, contextId, mounted, release } = await openMounts({ host, allowExec: true });
      const state = await stack.create(mounted());
      await runShell(emulator.url, state.id, `echo kept > ${path}/second`);
      await release(state);
      expect(await download(emulator.url, contextId, `${path}/second`)).toBe("kept\n");
    });
  });
});
