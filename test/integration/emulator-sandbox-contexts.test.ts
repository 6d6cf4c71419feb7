import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  ask,
  contextCall,
  createContext,
  createId,
  download,
  release,
  runShell,
  status,
  syncItems,
  toolText,
  upload,
} from "../support/emulator-requests";
import { sessionsFolder, useSandboxEmulator } from "../support/sandbox-emulator";

const sandbox = useSandboxEmulator();

describe("mounted contexts", () => {
  const mounted = (contextId: string, path: string, policy: unknown = {}) => ({
    persistenceDataList: [{ contextId, path, policy: JSON.stringify(policy) }],
  });
  const files = async (contextId: string) => {
    await ask(sandbox.url, "GET", "/sdk/ListContexts");
    const context = sandbox.emulator.contexts().find((other) => other.contextId === contextId);
    return context?.files.map((file) => file.path).sort();
  };

  test("carry files from one session to the next", async () => {
    await sandbox.start();
    const contextId = await createContext(sandbox.url, "data");
    const first = await createId(sandbox.url, {}, mounted(contextId, "/home/user/data"));
    await toolText(sandbox.url, first, "write_file", { path: "/home/user/data/deep/a.txt", content: "from the first" });
    await runShell(
      sandbox.url,
      first,
      "echo by command > data/b.txt; echo elsewhere > c.txt; ln -s /etc/passwd data/link",
    );
    await release(sandbox.url, first);

    const second = await createId(sandbox.url, {}, mounted(contextId, "/home/user/data"));

    expect(await files(contextId)).toEqual(["/home/user/data/b.txt", "/home/user/data/deep/a.txt"]);
    expect(await toolText(sandbox.url, second, "read_file", { path: "data/deep/a.txt" })).toBe("from the first");
    expect((await runShell(sandbox.url, second, "cat data/b.txt; ls")).stdout).toBe("by command\ndata\n");
  });

  test("are uploaded when the idle time is over, also while no emulator runs", async () => {
    const statePath = join(sandbox.folder, "state.json");
    const first = await sandbox.start({ statePath });
    const contextId = await createContext(sandbox.url, "data");
    const sessionId = await createId(sandbox.url, {}, { timeout: 60, ...mounted(contextId, "/data") });
    await toolText(sandbox.url, sessionId, "write_file", { path: "/data/a", content: "text" });
    await first.close();
    sandbox.clock.advance(120_000);

    await sandbox.start({ statePath });

    expect(await files(contextId)).toEqual(["/data/a"]);
    expect(await download(sandbox.url, contextId, "/data/a")).toBe("text");
    expect(readdirSync(sessionsFolder(statePath))).toEqual([]);
  });

  test("files that a session deletes are deleted, those that others stored meanwhile stay", async () => {
    await sandbox.start();
    const contextId = await createContext(sandbox.url, "data");
    await upload(sandbox.url, contextId, "/data/a", "a");
    await upload(sandbox.url, contextId, "/data/b", "b");
    const sessionId = await createId(sandbox.url, {}, mounted(contextId, "/data"));
    await upload(sandbox.url, contextId, "/data/c", "c");
    await toolText(sandbox.url, sessionId, "delete_file", { path: "/data/a" });
    await toolText(sandbox.url, sessionId, "write_file", { path: "/data/b", content: "B" });

    await release(sandbox.url, sessionId);

    expect(await files(contextId)).toEqual(["/data/b", "/data/c"]);
    expect(await download(sandbox.url, contextId, "/data/b")).toBe("B");
  });

  test("follow their policy", async () => {
    await sandbox.start();
    const contextId = await createContext(sandbox.url, "data");
    await upload(sandbox.url, contextId, "/old/kept", "1");
    await upload(sandbox.url, contextId, "/old/in/a", "2");
    await upload(sandbox.url, contextId, "/old/in/out/b", "3");
    const session = async (policy: unknown) => {
      const sessionId = await createId(sandbox.url, {}, mounted(contextId, "/data", policy));
      return { sessionId, found: (await runShell(sandbox.url, sessionId, "cd /data && find . -type f | sort")).stdout };
    };
    const whiteLists = [{ path: "/in", excludePaths: ["/in/out"] }];

    const listed = await session({ mappingPolicy: { path: "/old" }, bwList: { whiteLists } });
    expect(listed.found).toBe("./in/a\n");
    await runShell(sandbox.url, listed.sessionId, "cd /data && echo 4 > in/new && echo 5 > not-listed && rm in/a");
    await release(sandbox.url, listed.sessionId);
    expect(await files(contextId)).toEqual(["/old/in/new", "/old/in/out/b", "/old/kept"]);

    const neither = { uploadPolicy: { autoUpload: false }, downloadPolicy: { autoDownload: false } };
    const byHand = await session({ ...neither, mappingPolicy: { path: "/old" } });
    expect(byHand.found).toBe("");
    const { sessionId } = byHand;
    await contextCall(sandbox.url, "SyncContext", { sessionId, mode: "download" });
    expect((await runShell(sandbox.url, sessionId, "ls /data")).stdout).toBe("in\nkept\n");
    await runShell(sandbox.url, sessionId, "echo changed > /data/kept");
    await release(sandbox.url, sessionId);
    expect(await download(sandbox.url, contextId, "/old/kept")).toBe("1");

    const keeps = await session({ deletePolicy: { syncLocalFile: false }, mappingPolicy: { path: "/old" } });
    await runShell(sandbox.url, keeps.sessionId, "rm -r /data/in");
    await release(sandbox.url, keeps.sessionId);
    expect(await files(contextId)).toEqual(["/old/in/new", "/old/in/out/b", "/old/kept"]);
  });

  test("that one session synchronizes at the same time all get its files, and lose those that it deletes", async () => {
    await sandbox.start();
    const mounts: { contextId: string; path: string }[] = [];
    for (let number = 0; number < 10; number += 1) {
      mounts.push({ contextId: await createContext(sandbox.url, `data-${number}`), path: `/home/user/${number}` });
    }
    const sessionId = await createId(sandbox.url, {}, { persistenceDataList: mounts });
    const uploadAll = () =>
      Promise.all(mounts.map((mount) => contextCall(sandbox.url, "SyncContext", { sessionId, ...mount })));
    const filesOfAll = () => Promise.all(mounts.map(({ contextId }) => files(contextId)));

    await runShell(sandbox.url, sessionId, "for folder in *; do echo text > $folder/a; done");
    await uploadAll();
    const messages = (await syncItems(sandbox.url, sessionId, { taskType: "upload" })).map(
      (item: { errorMessage: string }) => item.errorMessage,
    );
    expect(messages).toEqual(mounts.map(() => ""));
    expect(await filesOfAll()).toEqual(mounts.map(({ path }) => [`${path}/a`]));

    await runShell(sandbox.url, sessionId, "rm */a");
    await uploadAll();
    expect(await filesOfAll()).toEqual(mounts.map(() => []));
  });

  test("keep their files when the session ends while it is synchronized", async () => {
    await sandbox.start();
    const contextId = await createContext(sandbox.url, "data");
    const manual = { uploadPolicy: { autoUpload: false } };
    const sessionId = await createId(sandbox.url, {}, mounted(contextId, "/data", manual));
    await runShell(sandbox.url, sessionId, "cd /data && for i in $(seq 300); do echo $i > $i; done");
    await contextCall(sandbox.url, "SyncContext", { sessionId });

    const synchronizing = contextCall(sandbox.url, "SyncContext", { sessionId });
    await release(sandbox.url, sessionId);

    await synchronizing;
    expect((await files(contextId))?.length).toBe(300);
  });

  describe("of which some files cannot be copied", () => {
    // One whose name is not UTF-8, one that is too large, one in too deep a folder, and two that can be copied.
    const leave =
      "cd /data && node -e \"fs.writeFileSync(Buffer.from([0x61, 0xff]), ''); for (let i = 0; i < 1000; i++) { fs.mkdirSync('deep'); process.chdir('deep'); } fs.writeFileSync('far', '')\"; head -c 3000 /dev/zero > large; echo 1 > one; mkdir in; echo 2 > in/two; mkfifo pipe; ln -s /etc link";

    test("keep all others, and the status of the synchronization names them", async () => {
      await sandbox.start({ maximumFileBytes: 2000 });
      const contextId = await createContext(sandbox.url, "data");
      await upload(sandbox.url, contextId, "/data/large", "an earlier one");
      const sessionId = await createId(sandbox.url, {}, mounted(contextId, "/data"));
      await runShell(sandbox.url, sessionId, leave);

      await contextCall(sandbox.url, "SyncContext", { sessionId, mode: "upload" });

      expect(await files(contextId)).toEqual(["/data/in/two", "/data/large", "/data/one"]);
      expect(await download(sandbox.url, contextId, "/data/large")).toBe("an earlier one");
      const [item] = await syncItems(sandbox.url, sessionId, { taskType: "upload" });
      expect(item).toMatchObject({ status: "Failed" });
      expect(item.errorMessage).toMatch(/^Not uploaded: .*Files uploaded: 2\.$/);
      expect(item.errorMessage).toContain("/data/large (more than 2000 bytes)");
      expect(item.errorMessage).toContain("/data/a\ufffd (its name is not UTF-8)");
      expect(item.errorMessage).toMatch(/\/data\/deep.* \(File name too long\)/);
    });

    test("keep all others at the end of the session too, and a notice names the lost ones", async () => {
      const notices: string[] = [];
      await sandbox.start({ maximumFileBytes: 2000, onNotice: (text) => notices.push(text) });
      const contextId = await createContext(sandbox.url, "data");
      const sessionId = await createId(sandbox.url, {}, mounted(contextId, "/data"));
      await runShell(sandbox.url, sessionId, leave);

      await release(sandbox.url, sessionId);

      expect(await files(contextId)).toEqual(["/data/in/two", "/data/one"]);
      const said = notices.filter((text) => text.includes(sessionId));
      expect(said).toEqual([
        expect.stringContaining(
          `Not all files of context ${contextId} at /data were uploaded at the end of session ${sessionId}: Not uploaded: `,
        ),
      ]);
      expect(said[0]).toContain("/data/large (more than 2000 bytes)");
    });

    test("keep all others on the way into a session too", async () => {
      await sandbox.start();
      const contextId = await createContext(sandbox.url, "data");
      await upload(sandbox.url, contextId, "/data/a", "a");
      await upload(sandbox.url, contextId, "/data/folder", "is a file");
      const manual = { downloadPolicy: { autoDownload: false } };
      const sessionId = await createId(sandbox.url, {}, mounted(contextId, "/data", manual));
      await toolText(sandbox.url, sessionId, "create_directory", { path: "/data/folder" });

      await contextCall(sandbox.url, "SyncContext", { sessionId, mode: "download" });

      expect(await toolText(sandbox.url, sessionId, "read_file", { path: "/data/a" })).toBe("a");
      expect(await syncItems(sandbox.url, sessionId, { taskType: "download" })).toMatchObject([
        { status: "Failed", errorMessage: "Not downloaded: /data/folder (Is a directory). Files downloaded: 1." },
      ]);
    });
  });

  test("keep only requests waiting that use the context, not other sessions or contexts, while it is uploaded", async () => {
    await sandbox.start();
    const contextId = await createContext(sandbox.url, "data");
    const otherId = await createContext(sandbox.url, "other");
    const [ended, goesOn] = [await createId(sandbox.url, {}, mounted(contextId, "/data")), await createId(sandbox.url)];
    await runShell(sandbox.url, ended, "cd /data && for i in $(seq 300); do echo $i > $i; done");
    await release(sandbox.url, ended);
    const order: string[] = [];
    const note = async (what: string, request: Promise<unknown>) => {
      await request;
      order.push(what);
    };

    await Promise.all([
      note("contexts", ask(sandbox.url, "GET", "/sdk/ListContexts")),
      note("its files", contextCall(sandbox.url, "DescribeContextFiles", { contextId })),
      note("mounts it", createId(sandbox.url, {}, mounted(contextId, "/data"))),
      note("session", status(sandbox.url, goesOn)),
      note("list", ask(sandbox.url, "GET", "/sdk/ListSession")),
      note("tool", toolText(sandbox.url, goesOn, "list_directory", { path: "/" })),
      note("new session", createId(sandbox.url)),
      note("other context", contextCall(sandbox.url, "DescribeContextFiles", { contextId: otherId })),
      note("other upload", upload(sandbox.url, otherId, "/a", "text")),
      note("mounts other", createId(sandbox.url, {}, mounted(otherId, "/data"))),
    ]);

    expect(order.slice(0, 7).sort()).toEqual(
      ["list", "mounts other", "new session", "other context", "other upload", "session", "tool"].sort(),
    );
    expect((await files(contextId))?.length).toBe(300);
  });

  test("are downloaded as a whole while others replace their files", async () => {
    await sandbox.start();
    const contextId = await createContext(sandbox.url, "data");
    const paths = Array.from({ length: 200 }, (_, number) => `/data/${number}`);
    await Promise.all(paths.map((path) => upload(sandbox.url, contextId, path, "old")));

    const creating = createId(sandbox.url, {}, mounted(contextId, "/data"));
    for (const path of [...paths].reverse()) {
      await upload(sandbox.url, contextId, path, "new");
    }

    expect(await syncItems(sandbox.url, await creating)).toMatchObject([{ status: "Success", errorMessage: "" }]);
  });

  test("a file of 300 MB can be uploaded", async () => {
    await sandbox.start();
    const contextId = await createContext(sandbox.url, "data");
    const sessionId = await createId(sandbox.url, {}, mounted(contextId, "/data"));
    await runShell(sandbox.url, sessionId, "truncate -s 300M /data/large");

    await contextCall(sandbox.url, "SyncContext", { sessionId, mode: "upload" });

    expect(await syncItems(sandbox.url, sessionId, { taskType: "upload" })).toMatchObject([{ status: "Success" }]);
    const context = sandbox.emulator.contexts().find((other) => other.contextId === contextId);
    expect(context?.files).toEqual([{ path: "/data/large", sizeBytes: 300 * 1024 * 1024 }]);
  });

  test("an upload of a file that is too large is reported as failed", async () => {
    await sandbox.start({ maximumFileBytes: 10 });
    const contextId = await createContext(sandbox.url, "data");
    const sessionId = await createId(sandbox.url, {}, mounted(contextId, "/data"));
    await toolText(sandbox.url, sessionId, "write_file", { path: "/data/a", content: "more than ten" });

    await contextCall(sandbox.url, "SyncContext", { sessionId, mode: "upload" });

    expect(await syncItems(sandbox.url, sessionId, { taskType: "upload" })).toMatchObject([
      { status: "Failed", errorMessage: "Not uploaded: /data/a (more than 10 bytes). Files uploaded: 0." },
    ]);
  });

  test("a transfer moves single files into and out of a session", async () => {
    await sandbox.start();
    const sessionId = await createId(sandbox.url);
    const loaded = await contextCall(sandbox.url, "GetAndLoadInternalContext", { sessionId });
    const { contextId, contextPath } = loaded.body.data[0];
    await upload(sandbox.url, contextId, `${contextPath}/in.txt`, "from outside");
    await contextCall(sandbox.url, "SyncContext", { sessionId, contextId, path: contextPath, mode: "download" });
    expect(await toolText(sandbox.url, sessionId, "read_file", { path: `${contextPath}/in.txt` })).toBe("from outside");
    await toolText(sandbox.url, sessionId, "write_file", { path: `${contextPath}/out.txt`, content: "from inside" });

    await contextCall(sandbox.url, "SyncContext", { sessionId, contextId, path: contextPath, mode: "upload" });

    expect(await download(sandbox.url, contextId, `${contextPath}/out.txt`)).toBe("from inside");
  });
});
