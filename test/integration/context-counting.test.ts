import { countFiles, createContext, listFiles } from "../../provider/api/contexts";
import { openClient } from "../support/agb-client";
import { collect, openEmulator } from "../support/context-service";
import { upload } from "../support/emulator-requests";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { sendJson, sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

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
