// Sessions that mount contexts, as Pulumi drives them: the provider object of `AgbSession` against the emulator.

import type { EmulatorOptions } from "../../provider/emulator";
import { systemClock } from "../../provider/lifecycle/wait";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { contextCall, createContext, download, runShell, upload } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { openProviderObjects } from "../support/provider-objects";
import { declare, failureOf, openProvider, Stack, type State, sorted } from "../support/session-stack";

withoutRetryDelay();

let errorStream: jest.SpyInstance;

beforeEach(() => {
  errorStream = jest.spyOn(console, "error").mockImplementation();
});

afterEach(() => {
  jest.restoreAllMocks();
});

const minuteMs = 60_000;
const path = "/home/user/data";

/** Messages beside the results. */
const said = () => errorStream.mock.calls.flat().join("\n");

/** An emulator with a context that holds a file, and a stack whose sessions mount it. */
async function openMounts(options: EmulatorOptions = {}, clock = new FakeClock()) {
  // The second key is that of the plain requests that store files.
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], clock, ...options });
  const stack = new Stack(openProvider(emulator.url, clock), emulator);
  const contextId = await createContext(emulator.url, "data");
  await upload(emulator.url, contextId, `${path}/first`, "text");
  const mounted = (more: Record<string, unknown> = {}) =>
    declare({ team: "web" }, { contextSyncs: [{ contextId, path }], ...more });
  const release = (state: State) => stack.provider.delete(state.id, state.outputs);
  const operations = () => emulator.requests().map(({ operation }) => operation);
  return { clock, emulator, stack, contextId, mounted, release, operations };
}

/** What Pulumi keeps of a resource whose create or update failed with properties. */
async function unfinished(work: Promise<unknown>, inputs: Record<string, unknown>) {
  const failure = await failureOf(work);
  const { id, properties, reasons } = failure as unknown as { id: string; properties: unknown; reasons: string[] };
  const state = { id, inputs, outputs: { ...(properties as object) } } as State;
  return { state, reasons: (reasons ?? []).join("\n") };
}

describe("create", () => {
  test("waits until the files are there; then nothing is left to do and a refresh changes no byte", async () => {
    const { clock, stack, contextId, mounted } = await openMounts({ syncDelayMs: 5_000 });
    const state = await stack.create(mounted());
    expect(clock.elapsedMs()).toBeGreaterThanOrEqual(5_000);
    expect(state.outputs).toMatchObject({ contextSyncs: [{ contextId, path }] });
    expect(state.outputs).not.toHaveProperty("downloadPending");
    expect(sorted(await stack.refresh(state))).toBe(sorted(state));
    expect(await stack.diff(state, mounted())).toEqual({ changes: false });
  });

  test("sends every mount with a whole policy, whatever the program leaves out", async () => {
    const { emulator, stack, contextId } = await openMounts();
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
    const { emulator, stack, contextId, mounted } = await openMounts();
    emulator.addFault({ operation: "contextDownload", calls: [1, 2], errorMessage: "no space left" });
    const inputs = await stack.check(mounted());

    const { state, reasons } = await unfinished(stack.provider.create(inputs), inputs);
    expect(reasons).toBe(
      `AgbSession "web" (session ${state.id}) runs without all files of its contexts: the download of context ` +
        `${contextId} to ${path} failed: no space left. The session stays in the state; the next \`pulumi up\` downloads ` +
        "them again. If the path cannot be written, change it in contextSyncs.",
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
      const { clock, emulator, stack, mounted } = await openMounts();
      emulator.addFault({ operation: "contextDownload", delayMs: 60 * minuteMs });
      const inputs = await stack.check(mounted({ timeouts, idleTimeoutSeconds: 1_800 }));
      const { state, reasons } = await unfinished(stack.provider.create(inputs), inputs);
      expect(reasons).toMatch(/it is not over, AGB's status is Running after \d+ ms/);
      expect(state.outputs).toMatchObject({ downloadPending: true });
      expect(Math.round(clock.elapsedMs() / 1_000)).toBe(seconds);
    }
  });

  test("during whose download AGB releases the session says so, and leaves nothing in the state", async () => {
    const { emulator, stack, mounted } = await openMounts();
    emulator.addFault({ operation: "contextDownload", delayMs: 60 * minuteMs });
    const failure = await failureOf(stack.create(mounted({ idleTimeoutSeconds: 60 })));
    expect(failure.message).toMatch(
      /^could not create AgbSession "web": AGB released session \S+ while the files of its contexts were downloaded\. Run/,
    );
    expect(failure["id"]).toBeUndefined();
    expect(emulator.sessions()).toEqual([]);
  });

  test("with a context that does not exist makes nothing, and says which properties to check", async () => {
    const { emulator, stack } = await openMounts();
    const contextSyncs = [{ contextId: "SdkCtx-never", path }];
    const { message } = await failureOf(stack.create(declare({}, { contextSyncs })));
    expect(message).toContain("AGB refused createSession: Context not found");
    expect(message).toContain(
      "Nothing was created. Check contextSyncs: contextId is the id of a context, as in `AgbContext.contextId`, not its name",
    );
    expect(message).not.toContain("deleteBeforeReplace");
    expect(emulator.sessions()).toEqual([]);
  });

  test("hides what AGB says of the key and of labels that may be secret", async () => {
    const { emulator, stack, contextId } = await openMounts();
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
    const { emulator, stack, mounted } = await openMounts({ syncDelayMs: 5_000 }, clock);
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

describe("delete", () => {
  test("uploads first, waits for it, and then releases", async () => {
    const { clock, emulator, stack, mounted, release, operations } = await openMounts({ syncDelayMs: 5_000 });
    const state = await stack.create(mounted());
    const startMs = clock.elapsedMs();
    await release(state);
    expect(clock.elapsedMs() - startMs).toBeGreaterThanOrEqual(5_000);
    expect(operations().indexOf("SyncContext")).toBeLessThan(operations().indexOf("releaseSessionAsync"));
    expect(emulator.sessions()).toEqual([]);
  });

  test("uploads nothing where the policy says so", async () => {
    const { stack, contextId, release, operations } = await openMounts();
    const policy = { uploadPolicy: { autoUpload: false } };
    await release(await stack.create(declare({}, { contextSyncs: [{ contextId, path, policy }] })));
    expect(operations()).not.toContain("SyncContext");
  });

  test("releases nothing when the upload fails, and says why and what to do", async () => {
    const { emulator, stack, contextId, mounted, release, operations } = await openMounts();
    const state = await stack.create(mounted());
    const fault = emulator.addFault({ operation: "contextUpload", errorMessage: "disk full" });
    const { message } = await failureOf(release(state));
    expect(message).toBe(
      `could not release AgbSession "web" (session ${state.id}): the upload of ${path} to context ${contextId} failed: ` +
        "disk full. The session is not released, so that no file is lost. Run the command again. To release it without " +
        "the upload: copy the files that you need, set `releaseWithoutUpload: true` on the session and run `pulumi up`, " +
        "then run the command again and remove the option afterwards.",
    );
    expect(operations()).not.toContain("releaseSessionAsync");
    expect(emulator.sessions()).toMatchObject([{ sessionId: state.id, state: "RUNNING" }]);

    fault.remove();
    await release(state);
    expect(emulator.sessions()).toEqual([]);
  });

  test("releases nothing when a context is gone, because its files would be lost", async () => {
    const { emulator, stack, contextId, mounted, release } = await openMounts();
    const state = await stack.create(mounted());
    await contextCall(emulator.url, "DeleteContext", { id: contextId });
    expect((await failureOf(release(state))).message).toContain("the context no longer exists");
    expect(emulator.sessions()).toHaveLength(1);
  });

  test("goes on without the files when releaseWithoutUpload says so, and tells which", async () => {
    const { emulator, stack, contextId, mounted, release } = await openMounts();
    const state = await stack.create(mounted());
    emulator.addFault({ operation: "contextUpload", errorMessage: "disk full" });
    await release(await stack.update(state, mounted({ releaseWithoutUpload: true })));
    expect(said()).toContain(
      `session ${state.id} is released without its files, as releaseWithoutUpload says: the upload of ${path} to ` +
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
      const { emulator, stack, mounted, release } = await openMounts();
      const state = await stack.create(mounted({ releaseWithoutUpload: true }));
      emulator.addFault({ operation, answer });
      await release(state);
      expect(said()).toContain(`session ${state.id} is released without its files, as releaseWithoutUpload says: `);
      expect(emulator.sessions()).toEqual([]);
    }
  });

  test("uploads the mounts whose contexts exist when releaseWithoutUpload goes on without another one", async () => {
    const { emulator, stack, contextId, release } = await openMounts({ allowExec: true });
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
    const { clock, emulator, stack, contextId, mounted, release } = await openMounts();
    const state = await stack.create(mounted());
    await contextCall(emulator.url, "DeleteContext", { id: contextId });
    expect((await failureOf(release(state))).message).toContain("`releaseWithoutUpload: true`");

    const nextRun = new Stack(openProvider(emulator.url, clock), emulator);
    const replacement = { contextSyncs: [{ contextId: "SdkCtx-other", path }], releaseWithoutUpload: true };
    expect(await nextRun.diff(state, mounted(replacement))).toMatchObject({ replaces: ["contextSyncs"] });
    await nextRun.provider.delete(state.id, state.outputs);
    expect(said()).toContain("is released without its files");
    expect(emulator.sessions()).toEqual([]);
  });

  test("releases nothing when of two sessions with its name only one may go without its files", async () => {
    const { emulator, stack, mounted, release } = await openMounts();
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
      const { clock, emulator, stack, mounted, release } = await openMounts();
      const state = await stack.create(mounted({ timeouts, idleTimeoutSeconds: 1_800 }));
      emulator.addFault({ operation: "contextUpload", delayMs: 60 * minuteMs });
      const startMs = clock.elapsedMs();
      expect((await failureOf(release(state))).message).toMatch(/it is not over, AGB's status is Running after \d+ ms/);
      expect(Math.round((clock.elapsedMs() - startMs) / 1_000)).toBe(seconds);
      expect(emulator.sessions()).toHaveLength(1);
    }
  });

  test("with releaseWithoutUpload leaves time for the release when the upload does not end", async () => {
    const { emulator, stack, mounted } = await openMounts();
    const state = await stack.create(mounted({ releaseWithoutUpload: true, timeouts: { delete: 4 } }));
    emulator.addFault({ operation: "contextUpload", delayMs: 60 * minuteMs });
    // Real time, because a call's limit has no other.
    const { session } = openProviderObjects({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url }, systemClock);
    await session.delete(state.id, state.outputs);
    expect(said()).toContain("is released without its files");
    expect(emulator.sessions()).toEqual([]);
  });

  test("of a session that AGB has released has nothing to upload and is a success", async () => {
    const { emulator, stack, mounted, release, operations } = await openMounts();
    const state = await stack.create(mounted());
    await emulator.release(state.id);
    await release(state);
    expect(operations()).not.toContain("SyncContext");
  });

  describe("of a session that lacks files of its contexts", () => {
    async function openPending(more: Record<string, unknown> = {}) {
      const opened = await openMounts();
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
        "the session lacks files of its contexts, and its upload could delete them there: the ",
      );
      expect(message).toContain("still no space. The session is not released");
      expect(message).toContain("`releaseWithoutUpload: true`");
      expect(emulator.sessions()).toHaveLength(1);
    });

    test("leaves a mount out of the upload when its context is empty, so that a wrong path can be corrected", async () => {
      const { emulator, stack, contextId, release } = await openMounts({ allowExec: true });
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
      const { emulator, stack, contextId, release } = await openMounts();
      const emptyId = await createContext(emulator.url, "empty");
      const contextSyncs = [
        { contextId: emptyId, path: "/home/a" },
        { contextId, path },
      ];
      const inputs = await stack.check(declare({}, { contextSyncs }));
      emulator.addFault({ operation: "contextDownload", errorMessage: "not writable" });
      const { state } = await unfinished(stack.provider.create(inputs), inputs);
      expect((await failureOf(release(state))).message).toContain("its upload could delete them there");
      expect(said()).toBe("");
      expect(emulator.sessions()).toHaveLength(1);
    });

    test("releases nothing while the download of an empty context still goes on", async () => {
      const { emulator, stack, release } = await openMounts();
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
      expect(failure.message).toContain("The key came from AGB_API_KEY");
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

describe("a refused key", () => {
  const oldKey = "ako-old-4711";
  const newKey = "ako-new-0815";

  async function openRotated() {
    const clock = new FakeClock();
    const opened = await openMounts({ apiKeys: [oldKey, newKey, "test-key"] }, clock);
    const objects = openProviderObjects({ AGB_API_KEY: newKey, AGB_ENDPOINT: opened.emulator.url }, clock);
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
    const { emulator, stack, mounted, release } = await openMounts();
    const state = await stack.create(mounted({ releaseWithoutUpload: true }));
    emulator.setApiKeys(["another-key"]);
    expect((await failureOf(release(state))).message).toContain("The key came from AGB_API_KEY");
    expect(emulator.sessions()).toHaveLength(1);
  });
});

test.each([
  ["an outage", { status: 503 }],
  ["a proxy's page with the words Not Found", { status: 404, body: "<h1>404 Not Found</h1>" }],
  ["a broken connection", "reset"],
] as const)("%s during the upload releases nothing", async (_, answer) => {
  for (const operation of ["GetContextInfo", "SyncContext"] as const) {
    const { emulator, stack, mounted, release } = await openMounts();
    const state = await stack.create(mounted());
    emulator.addFault({ operation, answer });
    const { message } = await failureOf(release(state));
    expect(message).toMatch(/^could not release AgbSession "web"/);
    expect(message).not.toContain("defect");
    expect(emulator.sessions()).toHaveLength(1);
  }
});

test("another service that does not know the session proves nothing", async () => {
  const first = await openMounts();
  const state = await first.stack.create(first.mounted());
  const elsewhere = { ...state, outputs: { ...state.outputs, service: "https://eu.example.com" } };
  await first.emulator.release(state.id);
  expect((await failureOf(first.release(elsewhere))).message).toContain("may still be there");
  expect((await failureOf(first.stack.refresh(elsewhere))).message).toContain("may still be there");
});

describe("files", () => {
  test("of a session that AGB releases when it is idle are in the session that the next up creates", async () => {
    const { clock, emulator, stack, mounted } = await openMounts({ allowExec: true });
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
    const { emulator, stack, contextId, mounted, release } = await openMounts({ allowExec: true });
    const state = await stack.create(mounted());
    await runShell(emulator.url, state.id, `echo kept > ${path}/second`);
    await release(state);
    expect(await download(emulator.url, contextId, `${path}/second`)).toBe("kept\n");
  });
});
