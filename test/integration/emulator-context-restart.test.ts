import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ManualClock } from "../../provider/emulator";
import { readCommits } from "../../provider/emulator/state/state-log";
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
import { useStateFolder } from "../support/state-folder";

const state = useStateFolder();

/** The folder with the contents of context files. There is only one state at this path. */
function contentsFolder(): string {
  const [name = "none"] = readdirSync(`${state.statePath}.contexts`);
  return join(`${state.statePath}.contexts`, name);
}

test("keeps contexts, files, addresses and what runs", async () => {
  const clock = new ManualClock();
  const options = { clock, syncDelayMs: 60_000, clearDelayMs: 60_000 };
  const first = await state.start(options);
  const contextId = await createContext(first.url, "data");
  const wiped = await createContext(first.url, "wiped");
  await upload(first.url, contextId, "/a/b", "text");
  await upload(first.url, wiped, "/a", "text");
  await contextCall(first.url, "ClearContext", { id: wiped });
  const persistenceDataList = [{ contextId, path: "/a", policy: '{"unknown":1}' }];
  const sessionId = await createId(first.url, {}, { persistenceDataList });
  await contextCall(first.url, "SyncContext", { sessionId });
  await contextCall(first.url, "SyncContext", { sessionId, mode: "download" });
  const address = await fileUrl(first.url, "Download", contextId, "/a/b");
  const before = [first.sessions(), first.contexts(), await syncItems(first.url, sessionId)];
  await first.close();

  const second = await state.start(options);

  expect([second.sessions(), second.contexts(), await syncItems(second.url, sessionId)]).toEqual(before);
  expect((await getContext(second.url, wiped)).body.data.state).toBe("clearing");
  const { search } = new URL(address);
  expect(await (await fetch(`${second.url}/context-files${search}`)).text()).toBe("text");
  const newest = await createContext(second.url, "newest");
  expect(second.contexts()[0]?.contextId).toBe(newest);
  clock.advance(60_000);
  expect(await syncItems(second.url, sessionId)).toMatchObject([{ status: "Success" }, { status: "Success" }]);
});

test("after every acknowledged change the disk has it and no content that is not needed", async () => {
  const first = await state.start();
  const { url } = first;
  const expectOnDisk = async (contentCount: number) => {
    const copy = await state.startOnCopy();
    expect(copy.contexts()).toEqual(first.contexts());
    await copy.close();
    expect(readdirSync(contentsFolder())).toHaveLength(contentCount);
  };
  const id = await createContext(url, "data");
  await upload(url, id, "/a", "1");
  await expectOnDisk(1);
  await upload(url, id, "/a", "2");
  await expectOnDisk(1);
  await upload(url, id, "/b", "3");
  await expectOnDisk(2);
  await contextCall(url, "DeleteContextFile", { contextId: id, filePath: "/a" });
  await expectOnDisk(1);
  await contextCall(url, "ModifyContext", { id, name: "renamed" });
  await expectOnDisk(1);
  await contextCall(url, "ClearContext", { id });
  await expectOnDisk(0);
  await upload(url, id, "/c", "4");
  await contextCall(url, "DeleteContext", { id });
  await expectOnDisk(0);
  await upload(url, await createContext(url, "other"), "/d", "5");
  await first.reset();
  await expectOnDisk(0);
  expect(statSync(contentsFolder()).mode & 0o777).toBe(0o700);
});

test("a content that was replaced stays on disk until the new state is there", async () => {
  const { url } = await state.start();
  const contextId = await createContext(url, "data");
  await upload(url, contextId, "/a", "old");
  const [old = ""] = readdirSync(contentsFolder());
  // The state cannot be written: it is gone, and a folder has the name of the temporary file that would replace it.
  rmSync(state.statePath);
  mkdirSync(`${state.statePath}.tmp`);

  expect(await upload(url, contextId, "/a", "new")).toBe(503);
  expect(readdirSync(contentsFolder())).toContain(old);

  rmdirSync(`${state.statePath}.tmp`);
  expect(await upload(url, contextId, "/b", "more")).toBe(200);
  expect(readdirSync(contentsFolder())).not.toContain(old);
  expect(await download(url, contextId, "/a")).toBe("new");
});

test("what belongs to a session that is gone leaves the state with the next change", async () => {
  const clock = new ManualClock();
  const { url } = await state.start({ clock });
  const contextId = await createContext(url, "data");
  const sessionId = await createId(url, {}, { persistenceDataList: [{ contextId, path: "/a" }] });
  await contextCall(url, "GetAndLoadInternalContext", { sessionId });
  const logged = () => {
    const result = readCommits(readFileSync(state.statePath, "utf8").split("\n").slice(1, -1));
    const kinds = "logged" in result ? result.logged : new Map<string, Map<string, unknown>>();
    return ["sessions", "syncTasks", "contexts"].map((kind) => kinds.get(kind)?.size);
  };
  expect(logged()).toEqual([1, 1, 2]);

  clock.advance(3_600_000);
  await contextCall(url, "ModifyContext", { id: contextId, name: "renamed" });

  expect(logged()).toEqual([0, 0, 1]);
});

test("what a killed emulator left half written is removed", async () => {
  const first = await state.start();
  await upload(first.url, await createContext(first.url, "data"), "/a", "1");
  await first.close();
  writeFileSync(join(contentsFolder(), "x".repeat(32)), "half");

  const second = await state.start();

  expect(readdirSync(contentsFolder())).toHaveLength(1);
  expect(await download(second.url, second.contexts()[0]?.contextId ?? "", "/a")).toBe("1");
});

test("an emulator that starts while the state file is elsewhere leaves its files alone", async () => {
  const first = await state.start();
  const contextId = await createContext(first.url, "data");
  await upload(first.url, contextId, "/a", "text");
  await first.close();
  const aside = join(state.folder, "aside.json");
  renameSync(state.statePath, aside);
  const empty = await state.start();
  await upload(empty.url, await createContext(empty.url, "other"), "/b", "more");
  await empty.close();
  renameSync(aside, state.statePath);

  const again = await state.start();

  expect(await download(again.url, contextId, "/a")).toBe("text");
});

describe("a state file without its contents", () => {
  test("makes downloads fail for good and say why, until the file is uploaded again", async () => {
    const first = await state.start();
    const contextId = await createContext(first.url, "data");
    await upload(first.url, contextId, "/a", "text");
    const { url } = await state.startOnCopy();

    const refused = await fetch(await fileUrl(url, "Download", contextId, "/a"));

    expect(refused.status).toBe(410);
    expect(await refused.json()).toMatchObject({
      success: false,
      code: "InvalidContextFile.ContentMissing",
      message: expect.stringMatching(/state file was moved or restored without .* upload the file again/),
    });
    expect(await upload(url, contextId, "/a", "again")).toBe(200);
    expect(await download(url, contextId, "/a")).toBe("again");
  });

  test("makes the download into a session fail and say why, and the session's end keeps the context's file", async () => {
    const first = await state.start();
    const contextId = await createContext(first.url, "data");
    await upload(first.url, contextId, "/data/a", "text");
    const second = await state.startOnCopy({ allowExec: true });

    const sessionId = await createId(second.url, {}, { persistenceDataList: [{ contextId, path: "/data" }] });

    const [{ status, errorMessage }] = await syncItems(second.url, sessionId);
    expect(status).toBe("Failed");
    expect(errorMessage).toMatch(/^Not downloaded: \/data\/a \(.*state file was moved or restored without/);
    await second.release(sessionId);
    expect(second.contexts()).toMatchObject([{ files: [{ path: "/data/a" }] }]);
  });
});

test("a content that cannot be read makes the download fail for now and says why", async () => {
  const { url } = await state.start();
  const contextId = await createContext(url, "data");
  await upload(url, contextId, "/a", "text");
  const [name = ""] = readdirSync(contentsFolder());
  rmSync(join(contentsFolder(), name));
  symlinkSync(name, join(contentsFolder(), name));

  const refused = await fetch(await fileUrl(url, "Download", contextId, "/a"));

  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({
    code: "ContextFileNotRead",
    message: "The emulator could not read the content of the file: Too many levels of symbolic links",
  });
});

test("many uploads at the same time are all kept", async () => {
  const first = await state.start();
  const contextId = await createContext(first.url, "data");
  await Promise.all(
    Array.from({ length: 50 }, (_, number) => upload(first.url, contextId, `/${number % 25}`, `text ${number % 25}`)),
  );
  await first.close();

  const second = await state.start();

  expect(second.contexts()[0]?.files).toHaveLength(25);
  for (let number = 0; number < 25; number += 1) {
    expect(await download(second.url, contextId, `/${number}`)).toBe(`text ${number}`);
  }
  expect(readdirSync(contentsFolder())).toHaveLength(25);
});

test("an upload adds as much to the state file when the context has many files as when it has few", async () => {
  const { url } = await state.start();
  const contextId = await createContext(url, "data");
  await upload(url, contextId, "/0", "text");
  const bytesOfUpload = async (path: string) => {
    const before = statSync(state.statePath).size;
    await upload(url, contextId, path, "text");
    return statSync(state.statePath).size - before;
  };
  const early = await bytesOfUpload("/1001");
  await Promise.all(Array.from({ length: 200 }, (_, number) => upload(url, contextId, `/${number}`, "text")));

  expect(early).toBeGreaterThan(0);
  expect(await bytesOfUpload("/1002")).toBe(early);
});
