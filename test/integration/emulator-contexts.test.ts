import { type Emulator, ManualClock, startEmulator } from "../../provider/emulator";
import {
  ask,
  contextCall,
  contextNotFound,
  create,
  createContext,
  createId,
  getContext,
  notFound,
  syncItems,
  upload,
} from "../support/emulator-requests";

let clock: ManualClock;
let emulator: Emulator;
let url: string;

beforeAll(async () => {
  clock = new ManualClock();
  emulator = await startEmulator({ clock, pageCap: 20 });
  url = emulator.url;
});
beforeEach(() => emulator.reset());
afterAll(() => emulator.close());

describe("get or create", () => {
  test("creates a context once and finds it by name and by id", async () => {
    const made = await ask(url, "GET", "/sdk/GetContext", { query: { name: " data ", allowCreate: "true" } });
    const again = await ask(url, "GET", "/sdk/GetContext", { query: { name: "data", allowCreate: "True" } });
    const byId = await getContext(url, made.body.data.id);
    const outdatedName = await ask(url, "GET", "/sdk/GetContext", { query: { id: made.body.data.id, name: "other" } });

    expect(made.body.data).toEqual({
      id: expect.stringMatching(/^SdkCtx-[a-z0-9]+$/),
      name: "data",
      createTime: "2026-01-01T00:00:00.000Z",
      lastUsedTime: "2026-01-01T00:00:00.000Z",
      state: "available",
    });
    for (const answer of [again, byId, outdatedName]) {
      expect(answer.body.data).toEqual(made.body.data);
    }
    expect(emulator.contexts()).toMatchObject([{ contextId: made.body.data.id, name: "data", files: [] }]);
  });

  test("a name is unique within a region only", async () => {
    const here = await createContext(url, "data");
    const query = { name: "data", allowCreate: "true", loginRegionId: "ap-southeast-1" };
    const elsewhere = await ask(url, "GET", "/sdk/GetContext", { query });

    expect(elsewhere.body.data.id).not.toBe(here);
    expect(await createContext(url, "data")).toBe(here);
  });

  test.each([{ name: "never" }, { id: "SdkCtx-never" }, { name: "never", allowCreate: "false" }])(
    "%j is not found",
    async (query) => {
      const answer = await ask(url, "GET", "/sdk/GetContext", { query });

      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject(contextNotFound);
    },
  );

  test.each([
    ["name", {}],
    ["name", { name: " ", id: "" }],
    ["id", { id: "SdkCtx-1", allowCreate: "true" }],
    ["allowCreate", { name: "a", allowCreate: "maybe" }],
  ])("a bad %s is refused: %j", async (field, query) => {
    const answer = await ask(url, "GET", "/sdk/GetContext", { query });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ success: false, code: "InvalidRequest" });
    expect(answer.body.message).toContain(`${field}: `);
  });
});

test("lists all pages, newest first, with paging at the top level", async () => {
  const ids: string[] = [];
  for (let number = 0; number < 25; number += 1) {
    ids.unshift(await createContext(url, `context-${number}`));
  }
  const listed: string[] = [];
  let nextToken = "";
  do {
    const { body } = await ask(url, "GET", "/sdk/ListContexts", {
      query: { maxResults: "10", ...(nextToken !== "" && { nextToken }) },
    });
    expect(body).toMatchObject({ success: true, maxResults: 10, count: 25, totalCount: 25 });
    listed.push(...body.data.map((item: { id: string }) => item.id));
    nextToken = body.nextToken;
  } while (nextToken !== "");

  expect(listed).toEqual(ids);
  const capped = await ask(url, "GET", "/sdk/ListContexts", { query: { maxResults: "99" } });
  expect(capped.body.data).toHaveLength(20);
  expect(capped.body.data[0]).toEqual({
    id: ids[0],
    name: "context-24",
    createTime: expect.any(String),
    lastUsedTime: expect.any(String),
  });
  expect((await ask(url, "GET", "/sdk/ListContexts", { query: { nextToken: "x" } })).body.message).toContain(
    "nextToken",
  );
});

describe("change", () => {
  test("a rename keeps the id and frees the old name", async () => {
    const id = await createContext(url, "before");

    expect((await contextCall(url, "ModifyContext", { id, name: "after" })).body.success).toBe(true);

    expect((await getContext(url, id)).body.data.name).toBe("after");
    expect(await createContext(url, "before")).not.toBe(id);
    expect((await contextCall(url, "ModifyContext", { id, name: "after" })).status).toBe(200);
  });

  test("a name that is taken is refused and nothing changes", async () => {
    const id = await createContext(url, "first");
    await createContext(url, "second");

    const answer = await contextCall(url, "ModifyContext", { id, name: "second" });

    expect(answer.status).toBe(400);
    expect(answer.body.message).toMatch(/^name: /);
    expect((await getContext(url, id)).body.data.name).toBe("first");
  });

  test("a deleted context is not found by any operation", async () => {
    const id = await createContext(url, "data");
    expect((await contextCall(url, "DeleteContext", { id })).body).toMatchObject({ success: true, code: "ok" });
    const sessionId = await createId(url);
    const file = { contextId: id, filePath: "/a" };

    for (const answer of [
      await getContext(url, id),
      await contextCall(url, "DeleteContext", { id }),
      await contextCall(url, "ModifyContext", { id, name: "other" }),
      await contextCall(url, "ClearContext", { id }),
      await contextCall(url, "GetContextFileUploadUrl", file),
      await contextCall(url, "GetContextFileDownloadUrl", file),
      await contextCall(url, "DeleteContextFile", file),
      await contextCall(url, "DescribeContextFiles", { contextId: id }),
      await contextCall(url, "SyncContext", { sessionId, contextId: id, path: "/data" }),
      await create(url, { persistenceDataList: [{ contextId: id, path: "/data", policy: "{}" }] }),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject(contextNotFound);
    }
    expect(emulator.sessions()).toHaveLength(1);
  });

  test("a wipe takes its delay by the clock, and a second call restarts it", async () => {
    const id = await createContext(url, "data");
    await upload(url, id, "/a", "text");
    const state = async () => (await getContext(url, id)).body.data.state;

    expect((await contextCall(url, "ClearContext", { id })).body.success).toBe(true);
    expect(await state()).toBe("clearing");
    clock.advance(199);
    expect((await contextCall(url, "ClearContext", { id })).body.success).toBe(true);
    clock.advance(199);
    expect(await state()).toBe("clearing");
    clock.advance(1);

    expect(await state()).toBe("available");
    expect((await contextCall(url, "DescribeContextFiles", { contextId: id })).body).toMatchObject({
      data: [],
      count: 0,
    });
  });

  test.each([
    ["ModifyContext", "id"],
    ["ModifyContext", "name"],
    ["DeleteContext", "id"],
    ["ClearContext", "id"],
  ])("%s without %s is refused", async (operation, field) => {
    const query: Record<string, string> = { id: "SdkCtx-1", name: "a" };
    query[field] = " ";

    expect((await contextCall(url, operation, query)).body.message).toContain(`${field}: `);
  });
});

describe("mounts", () => {
  const mount = (contextId: string, path: string, policy: unknown = {}) => ({
    contextId,
    path,
    policy: JSON.stringify(policy),
  });

  test("are kept with their policy, and downloaded if it asks for that", async () => {
    const [first, second] = [await createContext(url, "first"), await createContext(url, "second")];
    clock.advance(60_000);
    const policy = {
      downloadPolicy: { autoDownload: false, downloadStrategy: "DownloadAsync" },
      recyclePolicy: { lifecycle: "Lifecycle_1Day", paths: [""] },
    };

    const persistenceDataList = [mount(first, "/tmp/first/"), mount(second, "/tmp/second", policy)];
    const sessionId = await createId(url, {}, { persistenceDataList });

    expect(emulator.sessions()[0]).toMatchObject({
      mounts: [
        { contextId: first, path: "/tmp/first", policy: "{}" },
        { contextId: second, path: "/tmp/second", policy: JSON.stringify(policy) },
      ],
    });
    expect(await syncItems(url, sessionId)).toEqual([
      {
        contextId: first,
        path: "/tmp/first",
        status: "Success",
        taskType: "download",
        startTime: Math.floor(clock.now() / 1000),
        finishTime: Math.floor(clock.now() / 1000),
        errorMessage: "",
      },
    ]);
    expect((await getContext(url, first)).body.data.lastUsedTime).toBe(new Date(clock.now()).toISOString());
  });

  test("are synchronized on demand, all or one, and reported as asked", async () => {
    const [first, second] = [await createContext(url, "first"), await createContext(url, "second")];
    const sessionId = await createId(url, {}, { persistenceDataList: [mount(first, "/a"), mount(second, "/b")] });

    expect((await contextCall(url, "SyncContext", { sessionId })).body.success).toBe(true);
    await contextCall(url, "SyncContext", { sessionId, contextId: first, path: "/elsewhere", mode: "download" });

    const ways = (items: { contextId: string; path: string; taskType: string }[]) =>
      items.map((item) => [item.contextId, item.path, item.taskType]);
    expect(ways(await syncItems(url, sessionId))).toEqual([
      [first, "/a", "download"],
      [second, "/b", "download"],
      [first, "/a", "upload"],
      [second, "/b", "upload"],
      [first, "/elsewhere", "download"],
    ]);
    expect(ways(await syncItems(url, sessionId, { contextId: second, taskType: "upload" }))).toEqual([
      [second, "/b", "upload"],
    ]);
    expect(ways(await syncItems(url, sessionId, { path: "/elsewhere/" }))).toEqual([[first, "/elsewhere", "download"]]);
  });

  test("a synchronization runs for its delay, by the clock", async () => {
    const slow = await startEmulator({ clock, syncDelayMs: 5_000 });
    try {
      const contextId = await createContext(slow.url, "data");
      const sessionId = await createId(slow.url, {}, { persistenceDataList: [mount(contextId, "/a")] });
      expect(await syncItems(slow.url, sessionId)).toMatchObject([{ status: "Running", finishTime: 0 }]);
      clock.advance(5_000);
      expect(await syncItems(slow.url, sessionId)).toMatchObject([
        { status: "Success", finishTime: Math.floor(clock.now() / 1000) },
      ]);
    } finally {
      await slow.close();
    }
  });

  test("a context that was deleted meanwhile fails to synchronize", async () => {
    const contextId = await createContext(url, "data");
    const sessionId = await createId(url, {}, { persistenceDataList: [mount(contextId, "/a")] });
    await contextCall(url, "DeleteContext", { id: contextId });

    await contextCall(url, "SyncContext", { sessionId });

    expect(await syncItems(url, sessionId, { taskType: "upload" })).toMatchObject([
      { status: "Failed", errorMessage: "Context not found" },
    ]);
  });

  test.each([
    ["persistenceDataList.0.path", { path: "relative" }],
    ["persistenceDataList.0.path", { path: "/" }],
    ["persistenceDataList.0.path", { path: "/a\0b" }],
    ["persistenceDataList.0.policy", { policy: "{" }],
    ["persistenceDataList.0.policy", { policy: "[]" }],
    ["persistenceDataList.0.policy.uploadPolicy.autoUpload", { policy: '{"uploadPolicy":{"autoUpload":"yes"}}' }],
  ])("a bad %s is refused and makes no session", async (field, part) => {
    const contextId = await createContext(url, "data");

    const answer = await create(url, { persistenceDataList: [{ ...mount(contextId, "/a"), ...part }] });

    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain(`${field}: `);
    expect(emulator.sessions()).toEqual([]);
  });

  test("two at one path are refused", async () => {
    const contextId = await createContext(url, "data");

    const answer = await create(url, { persistenceDataList: [mount(contextId, "/a"), mount(contextId, "/a/")] });

    expect(answer.body.message).toContain("persistenceDataList.1.path: ");
  });

  test("of an unknown session, or with only a context or only a path, are refused", async () => {
    const sessionId = await createId(url);
    const info = (query: Record<string, string>) => ask(url, "GET", "/sdk/GetContextInfo", { query });

    expect((await contextCall(url, "SyncContext", { sessionId: "session-never" })).body).toMatchObject(notFound);
    expect((await info({ sessionId: "session-never" })).body).toMatchObject(notFound);
    expect((await contextCall(url, "SyncContext", { sessionId, path: "/a" })).body.message).toContain("contextId: ");
    expect((await contextCall(url, "SyncContext", { sessionId, contextId: "a" })).body.message).toContain("path: ");
    expect((await contextCall(url, "SyncContext", { sessionId, mode: "both" })).body.message).toContain("mode: ");
    expect(await syncItems(url, sessionId)).toEqual([]);
  });
});

test("a session's transfer context is one for all its transfers, is not listed, and ends with it", async () => {
  const sessionId = await createId(url);
  const load = () =>
    contextCall(url, "GetAndLoadInternalContext", { sessionId, contextTypes: '["file_transfer", "other"]' });

  const [first, second] = [await load(), await load()];

  expect(first.body.data).toEqual([
    { contextId: expect.any(String), contextType: "file_transfer", contextPath: expect.stringMatching(/^\//) },
  ]);
  expect(second.body.data).toEqual(first.body.data);
  expect((await ask(url, "GET", "/sdk/ListContexts")).body.count).toBe(0);
  await emulator.release(sessionId);
  await createContext(url, "any");
  expect((await getContext(url, first.body.data[0].contextId)).body).toMatchObject(contextNotFound);
  expect((await load()).body).toMatchObject(notFound);
});
