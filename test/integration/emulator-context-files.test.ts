import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, type EmulatorOptions, ManualClock, startEmulator } from "../../provider/emulator";
import { contextCall, createContext, download, fileUrl, upload } from "../support/emulator-requests";

let folder: string;
let statePath: string;
let clock: ManualClock;
const running: Emulator[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
  statePath = join(folder, "state.json");
  clock = new ManualClock();
});
afterEach(async () => {
  await Promise.allSettled(running.splice(0).map((emulator) => emulator.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ clock, ...options });
  running.push(emulator);
  return emulator;
}

const describeFiles = (url: string, query: Record<string, string>) => contextCall(url, "DescribeContextFiles", query);

test("a file is stored with PUT and fetched with GET, without a key", async () => {
  const { url } = await start({ apiKeys: ["test-key"] });
  const contextId = await createContext(url, "data");
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));

  const put = await fetch(await fileUrl(url, "Upload", contextId, "/home/a b/ü+%.bin"), { method: "PUT", body: bytes });
  const get = await fetch(await fileUrl(url, "Download", contextId, "home//a b/./ü+%.bin"));

  expect(put.status).toBe(200);
  expect(Buffer.from(await get.arrayBuffer()).equals(bytes)).toBe(true);
  expect(get.headers.get("etag")).toBe(put.headers.get("etag"));
  expect(get.headers.get("content-length")).toBe("70000");
});

test("new content replaces the old one and keeps the file's id", async () => {
  const emulator = await start();
  const { url } = emulator;
  const contextId = await createContext(url, "data");
  await upload(url, contextId, "/a", "first");
  const [before] = (await describeFiles(url, { contextId })).body.data;
  clock.advance(60_000);

  await upload(url, contextId, "/a", "newer text");

  expect(await download(url, contextId, "/a")).toBe("newer text");
  expect((await describeFiles(url, { contextId })).body).toMatchObject({
    data: [{ ...before, size: 10, gmtModified: "2026-01-01T00:01:00.000Z" }],
    count: 1,
  });
  expect(emulator.contexts()).toMatchObject([{ files: [{ path: "/a", sizeBytes: 10 }] }]);
});

test("a download gets an old or a new content as a whole, while uploads replace the file", async () => {
  const { url } = await start();
  const contextId = await createContext(url, "data");
  const contentOf = (round: number) => `${round} `.repeat(5000);
  await upload(url, contextId, "/a", contentOf(0));
  let isOver = false;
  const found: (string | number)[] = [];
  const readers = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      found.push(await download(url, contextId, "/a"));
    }
  });

  for (let round = 1; round <= 100; round += 1) {
    expect(await upload(url, contextId, "/a", contentOf(round))).toBe(200);
  }
  isOver = true;
  await Promise.all(readers);

  expect(found.filter((content) => content !== contentOf(Number(String(content).split(" ", 1)[0])))).toEqual([]);
});

test("lists the entries of a folder, in pages", async () => {
  const { url } = await start();
  const contextId = await createContext(url, "data");
  for (const path of ["/b.txt", "/a/1", "/a/2", "/a/deep/3", "/c"]) {
    await upload(url, contextId, path, path);
  }
  const names = async (query: Record<string, string>) =>
    (await describeFiles(url, { contextId, ...query })).body.data.map(
      (item: { fileName: string; fileType: string }) => [item.fileName, item.fileType],
    );

  expect(await names({})).toEqual([
    ["a", "folder"],
    ["b.txt", "file"],
    ["c", "file"],
  ]);
  expect(await names({ parentFolderPath: "/a/" })).toEqual([
    ["1", "file"],
    ["2", "file"],
    ["deep", "folder"],
  ]);
  expect(await names({ parentFolderPath: "/a", pageNumber: "2", pageSize: "2" })).toEqual([["deep", "folder"]]);
  expect(await names({ parentFolderPath: "/never" })).toEqual([]);
  expect((await describeFiles(url, { contextId, pageSize: "2" })).body.count).toBe(3);
  expect((await describeFiles(url, { contextId, pageNumber: "0" })).body.message).toContain("pageNumber: ");
});

test("a deleted file is gone, and a second delete does not find it", async () => {
  const { url } = await start();
  const contextId = await createContext(url, "data");
  await upload(url, contextId, "/a", "text");

  expect((await contextCall(url, "DeleteContextFile", { contextId, filePath: "/a" })).body.success).toBe(true);

  expect(await download(url, contextId, "/a")).toBe(400);
  const again = await contextCall(url, "DeleteContextFile", { contextId, filePath: "/a" });
  expect(again.body).toMatchObject({ code: "InvalidContextFile.NotFound", httpStatusCode: 400 });
});

test.each([" ", "/", "/folder/", "a\0b"])("'%s' is no path of a file", async (filePath) => {
  const { url } = await start();
  const contextId = await createContext(url, "data");

  for (const operation of ["GetContextFileUploadUrl", "GetContextFileDownloadUrl", "DeleteContextFile"]) {
    const answer = await contextCall(url, operation, { contextId, filePath });
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain("filePath: ");
  }
});

describe("the address of a file", () => {
  test("expires", async () => {
    const { url } = await start({ fileUrlLifetimeSeconds: 60 });
    const contextId = await createContext(url, "data");
    const answer = await contextCall(url, "GetContextFileUploadUrl", { contextId, filePath: "/a" });
    expect(answer.body.data.expireTime).toBe(clock.now() / 1000 + 60);
    clock.advance(59_999);
    expect((await fetch(answer.body.data.url, { method: "PUT", body: "text" })).status).toBe(200);
    clock.advance(1);

    const late = await fetch(answer.body.data.url, { method: "PUT", body: "late" });

    expect(late.status).toBe(403);
    expect(await late.json()).toMatchObject({ success: false, code: "AccessDenied", httpStatusCode: 403 });
    expect(await download(url, contextId, "/a")).toBe("text");
  });

  test("is valid for one file, one context and one direction", async () => {
    const { url } = await start();
    const contextId = await createContext(url, "data");
    const other = await createContext(url, "other");
    await upload(url, contextId, "/a", "text");
    const genuine = await fileUrl(url, "Download", contextId, "/a");
    const changed = (name: string, value: string) => {
      const address = new URL(genuine);
      address.searchParams.set(name, value);
      return address;
    };

    for (const address of [
      changed("filePath", "/b"),
      changed("contextId", other),
      changed("operation", "upload"),
      changed("expires", "9999999999"),
      changed("signature", "x"),
      changed("signature", new URL(genuine).searchParams.get("signature")?.toLowerCase() ?? ""),
      `${url}/context-files`,
    ]) {
      expect((await fetch(address)).status).toBe(403);
    }
    expect((await fetch(genuine, { method: "PUT", body: "x" })).status).toBe(403);
    expect((await fetch(genuine, { method: "DELETE" })).status).toBe(403);
    expect(await (await fetch(genuine)).text()).toBe("text");
  });

  test("is not in the journal", async () => {
    const emulator = await start();
    const contextId = await createContext(emulator.url, "data");
    await upload(emulator.url, contextId, "/secret-name", "text");

    expect(emulator.requests().at(-1)).toMatchObject({
      operation: "contextFile",
      method: "PUT",
      path: "/context-files",
      status: 200,
    });
    expect(JSON.stringify(emulator.requests())).not.toMatch(/secret-name|signature/);
  });

  test("of a deleted context refuses an upload", async () => {
    const { url } = await start();
    const contextId = await createContext(url, "data");
    const address = await fileUrl(url, "Upload", contextId, "/a");
    await contextCall(url, "DeleteContext", { id: contextId });

    const answer = await fetch(address, { method: "PUT", body: "text" });

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "InvalidContext.NotFound" });
  });
});

test("a file over the limit is refused and leaves nothing", async () => {
  const { url } = await start({ statePath, maximumFileBytes: 1000 });
  const contextId = await createContext(url, "data");

  expect(await upload(url, contextId, "/a", "x".repeat(1000))).toBe(200);
  expect(await upload(url, contextId, "/a", "y".repeat(1_000_000))).toBe(413);

  expect(await download(url, contextId, "/a")).toBe("x".repeat(1000));
  const [stateName = ""] = readdirSync(`${statePath}.contexts`);
  expect(readdirSync(join(`${statePath}.contexts`, stateName))).toHaveLength(1);
});
