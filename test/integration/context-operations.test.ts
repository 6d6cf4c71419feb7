import {
  clearContext,
  countFiles,
  createContext,
  deleteContext,
  findContext,
  getContext,
  listContexts,
  listFiles,
  renameContext,
} from "../../provider/api/contexts";
import { AgbAuthenticationError, AgbNotFoundError } from "../../provider/api/errors";
import { createSession } from "../../provider/api/sessions";
import { openClient } from "../support/agb-client";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { upload } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import {
  type ReceivedRequest,
  sendJson,
  sendRefusal,
  sendSuccess,
  startScriptedServer,
} from "../support/scripted-server";

withoutRetryDelay();

// The second key is that of the plain requests that store files.
const bothKeys = { apiKeys: [testKey, "test-key"] };

async function openEmulator(options: Parameters<typeof startTestEmulator>[0] = {}) {
  const emulator = await startTestEmulator({ ...bothKeys, ...options });
  return { emulator, client: openClient(emulator.url) };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) {
    collected.push(item);
  }
  return collected;
}

describe("a context", () => {
  test("is made, found by name and by id, renamed and deleted", async () => {
    const { client } = await openEmulator();
    expect(await findContext(client, "data")).toBeUndefined();
    const made = await createContext(client, "data");
    expect(made).toEqual({ contextId: expect.stringMatching(/^SdkCtx-/), name: "data", state: "available" });
    expect(await findContext(client, "data")).toEqual(made);
    expect(await getContext(client, made.contextId)).toEqual(made);
    expect(await createContext(client, "data")).toEqual(made);

    await renameContext(client, made.contextId, "ü & files");
    expect(await findContext(client, "data")).toBeUndefined();
    expect(await findContext(client, "ü & files")).toEqual({ ...made, name: "ü & files" });

    await deleteContext(client, made.contextId);
    expect(await getContext(client, made.contextId)).toBeUndefined();
    for (const call of [
      () => deleteContext(client, made.contextId),
      () => renameContext(client, made.contextId, "other"),
      () => clearContext(client, made.contextId),
      () => countFiles(client, made.contextId),
    ]) {
      await expect(call()).rejects.toBeInstanceOf(AgbNotFoundError);
    }
  });

  test("shows while it is being cleared", async () => {
    const clock = new FakeClock();
    const { emulator, client } = await openEmulator({ clock, clearDelayMs: 1_000 });
    const { contextId } = await createContext(client, "data");
    await upload(emulator.url, contextId, "/a", "text");
    await clearContext(client, contextId);
    expect(await getContext(client, contextId)).toMatchObject({ state: "clearing" });
    clock.advance(1_000);
    expect(await getContext(client, contextId)).toMatchObject({ state: "available" });
    expect(await countFiles(client, contextId)).toEqual({ files: 0, isComplete: true });
  });

  test("is listed once over all pages", async () => {
    const { emulator, client } = await openEmulator();
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    for (const name of names) {
      await createContext(client, name);
    }
    const listed = await collect(listContexts(client, 3));
    expect(listed.map(({ name }) => name).sort()).toEqual(names);
    expect(emulator.requestCounts()["ListContexts"]).toBe(3);
  });

  test("of another name is never taken for the one that was looked for", async () => {
    const server = await startScriptedServer((_, response) =>
      sendSuccess(response, { data: { id: "SdkCtx-1", name: "other", state: "available" } }),
    );
    const client = openClient(server.url);
    await expect(findContext(client, "data")).rejects.toThrow("another context");
    await expect(createContext(client, "data")).rejects.toMatchObject({ name: "AgbUnexpectedReplyError" });
    await expect(getContext(client, "SdkCtx-2", "data")).rejects.toThrow("another context");
    await expect(findContext(client, " other ")).resolves.toMatchObject({ contextId: "SdkCtx-1" });
  });
});

test("a wrong key is an authentication failure for every call, never a context that is gone", async () => {
  const { emulator, client } = await openEmulator();
  const { contextId } = await createContext(client, "data");
  emulator.setApiKeys(["another-key"]);
  for (const call of [
    () => findContext(client, "never"),
    () => getContext(client, contextId, "data"),
    () => createContext(client, "new"),
    () => renameContext(client, contextId, "new"),
    () => deleteContext(client, contextId),
    () => clearContext(client, contextId),
    () => listContexts(client).next(),
    () => countFiles(client, contextId),
  ]) {
    await expect(call()).rejects.toBeInstanceOf(AgbAuthenticationError);
  }
});

test.each([
  ["a proxy's page", { status: 404, body: "<h1>404 Not Found: Context not found</h1>" }],
  ["a failing server", { status: 503, body: { success: false, code: "ContextNotFound" } }],
  ["a call that is not deployed", { status: 404, body: { success: false, code: "InvalidAction.NotFound" } }],
  ["a reply without data", { status: 200, body: { success: true } }],
])("%s says nothing of a context", async (_what, answer) => {
  const { emulator, client } = await openEmulator();
  const { contextId } = await createContext(client, "data");
  emulator.addFault({ operation: "GetContext", answer });
  await expect(findContext(client, "data")).rejects.toThrow();
  await expect(getContext(client, contextId, "data")).rejects.toThrow();
  expect(emulator.requestCounts()["ListContexts"]).toBeUndefined();
});

describe("a lookup by id that AGB refuses", () => {
  /** A service that looks up names only. */
  function startNamesOnly(contexts: Record<string, string>) {
    return startScriptedServer(({ path, query }, response) => {
      const name = query["name"];
      const items = Object.entries(contexts).map(([id, named]) => ({ id, name: named }));
      if (path.endsWith("/ListContexts")) {
        sendSuccess(response, { data: items, nextToken: "" });
      } else if (name === undefined) {
        sendRefusal(response, "InvalidParameter", "Name is missing");
      } else {
        const found = items.find((item) => item.name === name);
        found ? sendSuccess(response, { data: found }) : sendRefusal(response, "InvalidContext.NotFound");
      }
    });
  }

  const asked = (requests: readonly ReceivedRequest[]) =>
    requests.map(({ path, query: { id, name } }) =>
      path.endsWith("/ListContexts") ? "list" : `${id ?? ""}|${name ?? ""}`,
    );

  test("is made by the known name, never by both", async () => {
    const server = await startNamesOnly({ "SdkCtx-1": "data" });
    const client = openClient(server.url);
    expect(await getContext(client, "SdkCtx-1", "data")).toMatchObject({ contextId: "SdkCtx-1", name: "data" });
    expect(asked(server.requests)).toEqual(["SdkCtx-1|", "|data"]);
  });

  test("finds a context that was renamed, also when another one has its name now", async () => {
    const server = await startNamesOnly({ "SdkCtx-1": "new", "SdkCtx-2": "data" });
    const client = openClient(server.url);
    expect(await getContext(client, "SdkCtx-1", "data")).toMatchObject({ contextId: "SdkCtx-1", name: "new" });
    expect(await getContext(client, "SdkCtx-1", "older")).toMatchObject({ contextId: "SdkCtx-1", name: "new" });
    expect(asked(server.requests)).toEqual(["SdkCtx-1|", "|data", "list", "SdkCtx-1|", "|older", "list"]);
  });

  test("means that it is gone when neither its name nor the list has it", async () => {
    const server = await startNamesOnly({ "SdkCtx-2": "data" });
    const client = openClient(server.url);
    expect(await getContext(client, "SdkCtx-1", "data")).toBeUndefined();
    expect(await getContext(client, "SdkCtx-1", "older")).toBeUndefined();
  });

  test.each([
    ["has no data", {}],
    ["has null as data", { data: null }],
    ["counts more contexts than it lists", { data: [{ id: "SdkCtx-9", name: "other" }], totalCount: 5 }],
  ])("proves no absence where the list %s", async (_what, list) => {
    const server = await startScriptedServer(({ path, query }, response) =>
      path.endsWith("/ListContexts")
        ? sendSuccess(response, list)
        : sendRefusal(response, query["id"] === undefined ? "InvalidContext.NotFound" : "InvalidParameter"),
    );
    await expect(getContext(openClient(server.url), "SdkCtx-1", "data")).rejects.toMatchObject({
      name: "AgbUnexpectedReplyError",
      operation: "ListContexts",
      message: expect.not.stringContaining(": :"),
    });
  });

  test("means that it is gone where the list says that there are no contexts", async () => {
    for (const list of [
      { data: [] },
      { totalCount: 0 },
      { data: [{ id: "SdkCtx-9", name: "other" }], totalCount: 1 },
    ]) {
      const server = await startScriptedServer(({ path, query }, response) =>
        path.endsWith("/ListContexts")
          ? sendSuccess(response, list)
          : sendRefusal(response, query["id"] === undefined ? "InvalidContext.NotFound" : "InvalidParameter"),
      );
      expect(await getContext(openClient(server.url), "SdkCtx-1", "data")).toBeUndefined();
    }
  });

  test("fails when no name is known", async () => {
    const server = await startNamesOnly({});
    await expect(getContext(openClient(server.url), "SdkCtx-1")).rejects.toThrow("Name is missing");
    expect(asked(server.requests)).toEqual(["SdkCtx-1|"]);
  });

  test.each([
    ["a wrong key", "NOT_LOGIN", 400],
    ["an outage", "ServiceUnavailable", 503],
    ["too many calls", "Throttling", 429],
    ["a call that is not deployed", "InvalidAction.NotFound", 404],
  ])("is not what %s is: nothing else is asked, and nothing counts as gone", async (_what, code, status) => {
    const server = await startScriptedServer(({ path, query: { id } }, response) =>
      path.endsWith("/ListContexts")
        ? sendSuccess(response, { data: [] })
        : id === undefined
          ? sendRefusal(response, "InvalidContext.NotFound")
          : sendRefusal(response, code, "no", status),
    );
    await expect(getContext(openClient(server.url), "SdkCtx-1", "data")).rejects.toMatchObject({ code });
    expect(new Set(asked(server.requests))).toEqual(new Set(["SdkCtx-1|"]));
  });

  test("fails when the look by name fails", async () => {
    const server = await startScriptedServer(({ query: { id } }, response) =>
      sendRefusal(response, id === undefined ? "NOT_LOGIN" : "InvalidParameter"),
    );
    await expect(getContext(openClient(server.url), "SdkCtx-1", "data")).rejects.toBeInstanceOf(AgbAuthenticationError);
  });
});

test("a create whose reply is lost is repeated and makes one context", async () => {
  const { emulator, client } = await openEmulator();
  emulator.addFault({ operation: "GetContext", calls: 1, when: "after", answer: "reset" });
  const made = await createContext(client, "data");
  expect(emulator.contexts()).toMatchObject([{ contextId: made.contextId, name: "data" }]);
});

test("a list of contexts without an end fails after a bounded number of calls", async () => {
  const server = await startScriptedServer((_, response, call) =>
    sendSuccess(response, { data: [], nextToken: `token ${call}` }),
  );
  await expect(listContexts(openClient(server.url)).next()).rejects.toMatchObject({ name: "AgbEndlessListError" });
  expect(server.requests).toHaveLength(100);
});

describe("counting files", () => {
  test("counts those of all folders, over all pages", async () => {
    const { emulator, client } = await openEmulator();
    const { contextId } = await createContext(client, "data");
    const paths = ["/a", "/b/c", "/b/d/e", "/b/d/f/g", ...Array.from({ length: 120 }, (_, index) => `/many/${index}`)];
    for (const path of paths) {
      await upload(emulator.url, contextId, path, "text");
    }
    expect(await collect(listFiles(client, contextId, "/"))).toEqual([
      { path: "/a", isFolder: false },
      { path: "/b", isFolder: true },
      { path: "/many", isFolder: true },
    ]);
    expect(await collect(listFiles(client, contextId, "/many"))).toHaveLength(120);
    expect(await countFiles(client, contextId)).toEqual({ files: 124, isComplete: true });
  });

  test("finds none in an empty context", async () => {
    const { emulator, client } = await openEmulator();
    const { contextId } = await createContext(client, "data");
    expect(await countFiles(client, contextId)).toEqual({ files: 0, isComplete: true });
    expect(emulator.requestCounts()["DescribeContextFiles"]).toBe(2);
  });

  /** A service whose reply depends on the folder, which is "none" when it is left out. */
  function startFiles(reply: (folder: string, pageNumber: number) => Record<string, unknown> | undefined) {
    return startScriptedServer(({ query }, response) => {
      const fields = reply(query["parentFolderPath"] ?? "none", Number(query["pageNumber"]));
      fields ? sendSuccess(response, fields) : sendRefusal(response, "InvalidParameter", "a folder is required");
    });
  }

  test("believes no empty folder `/` while the folder that AGB chooses has files", async () => {
    const server = await startFiles((folder) => ({ data: folder === "none" ? [{ filePath: "a" }] : [], count: 0 }));
    expect(await countFiles(openClient(server.url), "SdkCtx-1")).toEqual({ files: 1, isComplete: true });
  });

  test("believes the empty folder `/` where AGB wants a folder", async () => {
    const server = await startFiles((folder) => (folder === "none" ? undefined : { data: [], count: 0 }));
    expect(await countFiles(openClient(server.url), "SdkCtx-1")).toEqual({ files: 0, isComplete: true });
  });

  test("fails when the second look at an empty context fails otherwise", async () => {
    const server = await startScriptedServer(({ query }, response) =>
      "parentFolderPath" in query ? sendSuccess(response, { data: [] }) : sendJson(response, "gateway", 502),
    );
    await expect(countFiles(openClient(server.url), "SdkCtx-1")).rejects.toMatchObject({ status: 502 });
  });

  test("fails when AGB counts files but lists none", async () => {
    const server = await startFiles(() => ({ data: [], count: 3 }));
    await expect(countFiles(openClient(server.url), "SdkCtx-1")).rejects.toThrow("it counts 3 files and lists none");
  });

  test("reads on where pages are smaller than asked for, and where AGB tells no count", async () => {
    const names = Array.from({ length: 25 }, (_, index) => ({ filePath: `/${index}`, fileType: "FILE" }));
    for (const count of [25, undefined]) {
      const server = await startFiles((_, page) => ({ data: names.slice((page - 1) * 10, page * 10), count }));
      expect(await countFiles(openClient(server.url), "SdkCtx-1")).toEqual({ files: 25, isComplete: true });
    }
  });

  test("stops in a context of very many files", async () => {
    const server = await startFiles((_, page) => ({
      data: Array.from({ length: 100 }, (_item, index) => ({ filePath: `/${page}-${index}` })),
    }));
    expect(await countFiles(openClient(server.url), "SdkCtx-1")).toEqual({ files: 1_000, isComplete: false });
    expect(server.requests.length).toBeLessThan(20);
  });

  test("stops in folders without an end, and does not call them empty", async () => {
    const server = await startFiles((folder) => ({
      data: [{ filePath: `${folder}/x`, fileType: "folder" }],
      count: 1,
    }));
    expect(await countFiles(openClient(server.url), "SdkCtx-1")).toEqual({ files: 0, isComplete: false });
    expect(server.requests).toHaveLength(200);
  });

  test("looks into each folder once", async () => {
    const server = await startFiles((folder) => ({
      data: [{ filePath: folder === "/a" ? "/b" : "/a", fileType: "folder" }, { filePath: "/f" }],
      count: 2,
    }));
    expect(await countFiles(openClient(server.url), "SdkCtx-1")).toEqual({ files: 1, isComplete: true });
    // Three folders, each with a second page that has nothing new.
    expect(server.requests).toHaveLength(6);
  });
});

describe("a context does not count as empty", () => {
  const folder = (filePath: string) => ({ filePath, fileName: filePath.split("/").pop(), fileType: "folder" });
  const file = (filePath: string) => ({ filePath, fileType: "file" });

  /** Counts in a service whose folder listing is what the script says, page by page. */
  async function count(reply: (folder: string, pageNumber: number) => Record<string, unknown>) {
    const server = await startScriptedServer(({ query }, response) =>
      sendSuccess(response, reply(query["parentFolderPath"] ?? "/", Number(query["pageNumber"]))),
    );
    return { server, counted: countFiles(openClient(server.url), "SdkCtx-1") };
  }

  test("when pages repeat entries, so that fewer are listed than counted", async () => {
    const shown = Array.from({ length: 10 }, (_, index) => folder(`/f${index}`));
    const { counted } = await count((of, page) =>
      of === "/" ? { data: page <= 2 ? shown : [], count: 12 } : { data: [], count: 0 },
    );
    expect(await counted).toEqual({ files: 0, isComplete: false });
  });

  test("when AGB's count is that of the page, and a later page has a file", async () => {
    const pages = [[folder("/f1"), folder("/f2")], [file("/precious")]];
    const { counted } = await count((of, page) => {
      const data = of === "/" ? (pages[page - 1] ?? []) : [];
      return { data, count: data.length };
    });
    expect(await counted).toEqual({ files: 1, isComplete: true });
  });

  test("when a file and a folder have the same path", async () => {
    const { counted } = await count((of, page) => ({
      data: of === "/" && page === 1 ? [folder("/a"), file("/a")] : [],
    }));
    expect(await counted).toEqual({ files: 1, isComplete: true });
  });

  test.each([
    ["a file name only", { fileName: "home", fileType: "folder" }],
    ["a relative path", { filePath: "home", fileType: "folder" }],
    ["a relative path with a slash at its end", { filePath: "home/", fileType: "folder" }],
  ])("when AGB names its folders with %s", async (_what, shown) => {
    const { server, counted } = await count((of, page) =>
      page > 1
        ? { data: [] }
        : of === "/"
          ? { data: [shown], count: 1 }
          : of.startsWith("/home/deep")
            ? { data: [file("precious")], count: 1 }
            : { data: [{ fileName: "deep", fileType: "folder" }], count: 1 },
    );
    expect(await counted).toEqual({ files: 1, isComplete: true });
    expect(server.requests.map(({ query }) => query["parentFolderPath"])).toContain("/home/deep");
  });

  test.each([
    ["a folder without a path", "/", { fileType: "folder" }],
    ["a folder with the path of the folder that was listed", "/", { filePath: "/", fileName: "a", fileType: "folder" }],
    ["the same deeper down", "/home", { filePath: "/home/", fileName: "a", fileType: "folder" }],
    ["a relative path that may begin at the root", "/home", { filePath: "home/a", fileType: "folder" }],
  ])("when AGB lists %s", async (_what, where, shown) => {
    const { counted } = await count((of, page) => ({
      data: page > 1 ? [] : of === where ? [shown] : of === "/" ? [folder("/home")] : [],
    }));
    expect(await counted).toEqual({ files: 0, isComplete: false });
  });

  test("when AGB lists relative folders of a folder that it chose itself", async () => {
    const server = await startScriptedServer(({ query }, response) =>
      sendSuccess(response, {
        data: "parentFolderPath" in query ? [] : [{ fileName: "data", fileType: "folder" }],
        count: "parentFolderPath" in query ? 0 : 1,
      }),
    );
    expect(await countFiles(openClient(server.url), "SdkCtx-1")).toEqual({ files: 0, isComplete: false });
  });

  test.each([
    ["no data and no count", {}],
    ["null as data and no count", { data: null }],
    ["no data but a count", { count: 2 }],
    ["a negative count", { data: [], count: -1 }],
    ["a count that is not whole", { data: [], count: 0.5 }],
  ])("when the reply has %s", async (_what, reply) => {
    const { counted } = await count(() => reply);
    await expect(counted).rejects.toMatchObject({ name: "AgbUnexpectedReplyError" });
  });

  test.each([{ data: [] }, { data: [], count: 0 }, { count: 0 }, { data: null, count: 0 }])(
    "but does with the reply %j",
    async (reply) => {
      const { counted } = await count(() => reply);
      expect(await counted).toEqual({ files: 0, isComplete: true });
    },
  );
});

describe("a session that is made", () => {
  const imageId = "agb-code-space-1";

  test("with contexts mounts them, each with a policy", async () => {
    const { emulator, client } = await openEmulator();
    const { contextId } = await createContext(client, "data");
    const mounts = [{ contextId, path: "/home/data" }];
    await createSession(client, { imageId, labels: {}, mounts });
    expect(emulator.requestCounts()).toMatchObject({ createSession: 1 });
    const server = await startScriptedServer((_, response) =>
      sendSuccess(response, { data: { sessionId: "session-1" } }),
    );
    await createSession(openClient(server.url), { imageId, labels: {}, mounts });
    const { persistenceDataList } = JSON.parse(server.requests[0]?.body ?? "");
    expect(persistenceDataList).toEqual([
      { contextId, path: "/home/data", policy: expect.stringContaining("autoUpload") },
    ]);
  });

  test.each([undefined, []])("without contexts (%j) is asked for in the same bytes as ever", async (mounts) => {
    const server = await startScriptedServer((_, response) =>
      sendSuccess(response, { data: { sessionId: "session-1" } }),
    );
    await createSession(openClient(server.url), { imageId, labels: { team: "web" }, mounts });
    expect(server.requests[0]?.body).toBe('{"labels":"{\\"team\\":\\"web\\"}"}');
  });
});
