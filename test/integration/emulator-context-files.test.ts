import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, type EmulatorOptions, ManualClock, startEmulator } from "../../provider/emulator";
import {
  contextCall,
  createContext,
  createId,
  download,
  fileUrl,
  getContext,
  syncItems,
  upload,
} from "../support/emulator-requests";

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

test("a newer content replaces the older one and keeps the file's id", async () => {
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

test("lists what lies in a folder, in pages", async () => {
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

test("a deleted file is gone, and once more it is not found", async () => {
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
  test("ends with its time", async () => {
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

  test("is good for one file, one context and one direction", async () => {
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

  test("of a context that is gone leads nowhere", async () => {
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
  expect(readdirSync(`${statePath}.contexts`)).toHaveLength(2);
});

describe("restart", () => {
  test("keeps contexts, files, addresses and what runs", async () => {
    const first = await start({ statePath, syncDelayMs: 60_000, clearDelayMs: 60_000 });
    const contextId = await createContext(first.url, "data");
    const wiped = await createContext(first.url, "wiped");
    await upload(first.url, contextId, "/a/b", "text");
    await upload(first.url, wiped, "/a", "text");
    await contextCall(first.url, "ClearContext", { id: wiped });
    const persistenceDataList = [{ contextId, path: "/a", policy: '{"unknown":1}' }];
    const sessionId = await createId(first.url, {}, { persistenceDataList });
    const address = await fileUrl(first.url, "Download", contextId, "/a/b");
    const before = [first.sessions(), first.contexts(), await syncItems(first.url, sessionId)];
    await first.close();

    const second = await start({ statePath, syncDelayMs: 60_000, clearDelayMs: 60_000 });

    expect([second.sessions(), second.contexts(), await syncItems(second.url, sessionId)]).toEqual(before);
    expect((await getContext(second.url, wiped)).body.data.state).toBe("clearing");
    const { search } = new URL(address);
    expect(await (await fetch(`${second.url}/context-files${search}`)).text()).toBe("text");
    const newest = await createContext(second.url, "newest");
    expect(second.contexts()[0]?.contextId).toBe(newest);
    clock.advance(60_000);
    expect(await syncItems(second.url, sessionId)).toMatchObject([{ status: "Success" }]);
  });

  test("every acknowledged change is on disk at once, and nothing else stays there", async () => {
    const { url } = await start({ statePath });
    const contextId = await createContext(url, "data");
    const indexPath = `${statePath}.contexts/index.json`;
    const onDisk = () => JSON.parse(readFileSync(indexPath, "utf8")).contexts;
    expect(onDisk()).toMatchObject([{ contextId, name: "data", files: [] }]);
    await upload(url, contextId, "/a", "1");
    await upload(url, contextId, "/a", "2");
    await upload(url, contextId, "/b", "3");
    expect(onDisk()[0].files).toMatchObject([{ path: "/a" }, { path: "/b" }]);
    expect(readdirSync(`${statePath}.contexts`)).toHaveLength(3);
    await contextCall(url, "ModifyContext", { id: contextId, name: "renamed" });
    expect(onDisk()).toMatchObject([{ name: "renamed" }]);
    await contextCall(url, "ClearContext", { id: contextId });
    expect(onDisk()).toMatchObject([{ files: [], clearedAtMs: clock.now() }]);
    expect(readdirSync(`${statePath}.contexts`)).toEqual(["index.json"]);
    await contextCall(url, "DeleteContext", { id: contextId });
    expect(onDisk()).toEqual([]);
    expect(statSync(`${statePath}.contexts`).mode & 0o777).toBe(0o700);
    expect(statSync(indexPath).mode & 0o777).toBe(0o600);
  });

  test("what a killed emulator left half written is removed", async () => {
    const first = await start({ statePath });
    await upload(first.url, await createContext(first.url, "data"), "/a", "1");
    await first.close();
    writeFileSync(join(`${statePath}.contexts`, "x".repeat(32)), "half");

    const second = await start({ statePath });

    expect(readdirSync(`${statePath}.contexts`)).toHaveLength(2);
    expect(await download(second.url, second.contexts()[0]?.contextId ?? "", "/a")).toBe("1");
  });

  test("a broken index is told and left as it is", async () => {
    const first = await start({ statePath });
    await createContext(first.url, "data");
    await first.close();
    for (const text of [
      "{",
      "{}",
      '{"format":"agb-emulator-contexts","version":2}',
      '{"format":"agb-emulator-contexts","version":1}',
    ]) {
      writeFileSync(`${statePath}.contexts/index.json`, text);
      await expect(startEmulator({ statePath })).rejects.toMatchObject({
        code: "STATE_FILE_BROKEN",
        message: expect.stringContaining("index.json"),
      });
      expect(readFileSync(`${statePath}.contexts/index.json`, "utf8")).toBe(text);
    }
    expect(existsSync(`${statePath}.lock`)).toBe(false);
  });

  test("many uploads at once are all kept", async () => {
    const first = await start({ statePath });
    const contextId = await createContext(first.url, "data");
    await Promise.all(
      Array.from({ length: 50 }, (_, number) => upload(first.url, contextId, `/${number % 25}`, `text ${number % 25}`)),
    );
    await first.close();

    const second = await start({ statePath });

    expect(second.contexts()[0]?.files).toHaveLength(25);
    for (let number = 0; number < 25; number += 1) {
      expect(await download(second.url, contextId, `/${number}`)).toBe(`text ${number}`);
    }
    expect(readdirSync(`${statePath}.contexts`)).toHaveLength(26);
  });
});
