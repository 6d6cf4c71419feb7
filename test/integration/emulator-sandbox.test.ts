import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, type EmulatorOptions, ManualClock, startEmulator } from "../../provider/emulator";
import { runBounded } from "../support/bounded-process";
import { commandLines, outlives } from "../support/command-lines";
import {
  ask,
  callTool,
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
import { repositoryRoot } from "../support/node-process";

let folder: string;
let clock: ManualClock;
let url: string;
const running: Emulator[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
  clock = new ManualClock();
});
afterEach(async () => {
  await Promise.allSettled(running.splice(0).map((emulator) => emulator.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ allowExec: true, clock, ...options });
  running.push(emulator);
  url = emulator.url;
  return emulator;
}

/** A number that no other sleep on this computer has, so that the processes of one test can be told. */
function uniqueSeconds(): string {
  return String(100_000 + Math.floor(Math.random() * 900_000));
}

/** Leaves processes in the background: one in the command's group, some that left it, some without an environment. */
async function leaveProcesses(sessionId: string): Promise<string> {
  const seconds = uniqueSeconds();
  await runShell(
    url,
    sessionId,
    `sleep ${seconds} & setsid sleep ${seconds} & env -i sleep ${seconds} & env -i setsid sleep ${seconds} & setsid sh -c 'sleep ${seconds} & sleep ${seconds}' &`,
  );
  expect(commandLines()).toContain(`sleep ${seconds}`);
  return seconds;
}

describe("what a session runs ends", () => {
  test("with its release, while another session's goes on", async () => {
    await start();
    const [first, second] = [await createId(url), await createId(url)];
    const [ended, goesOn] = [await leaveProcesses(first), await leaveProcesses(second)];

    await release(url, first);

    expect(await outlives(`sleep ${ended}`)).toBe(false);
    expect(commandLines()).toContain(`sleep ${goesOn}`);
    expect((await callTool(url, first, "shell", { command: "true" })).body.code).toBe("InvalidSession.NotFound");
  });

  test("with its idle time, without anybody asking", async () => {
    await start();
    const sessionId = await createId(url, {}, { timeout: 60 });
    const seconds = await leaveProcesses(sessionId);

    clock.advance(60_000);

    expect(await outlives(`sleep ${seconds}`)).toBe(false);
  });

  test("with a release behind its owner's back, and with a reset", async () => {
    const emulator = await start();
    const [first, second] = [await createId(url), await createId(url)];
    const [released, reset] = [await leaveProcesses(first), await leaveProcesses(second)];

    await emulator.release(first);
    expect(await outlives(`sleep ${released}`)).toBe(false);
    await emulator.reset();
    expect(await outlives(`sleep ${reset}`)).toBe(false);
  });

  test("with the emulator, also a command that is being waited for", async () => {
    const emulator = await start();
    const sessionId = await createId(url);
    const seconds = await leaveProcesses(sessionId);
    const waiting = callTool(url, sessionId, "shell", { command: `sleep ${seconds}`, timeout_ms: 60_000 });

    await emulator.close();

    await waiting.catch(() => undefined);
    expect(await outlives(`sleep ${seconds}`)).toBe(false);
  });

  test("and a command that is being waited for fails when its session is released", async () => {
    await start();
    const sessionId = await createId(url);
    const waiting = callTool(url, sessionId, "shell", { command: "touch begun; sleep 1000", timeout_ms: 60_000 });
    while ((await toolText(url, sessionId, "list_directory", { path: "." })) === "") {
      await new Promise((resolve) => setImmediate(resolve));
    }

    await release(url, sessionId);

    expect((await waiting).body.code).toBe("InvalidSession.NotFound");
  });
});

describe("this computer is kept from what sessions run, or the emulator says at its start that it is not", () => {
  /** What the emulator says at its start; undefined when it has nothing to say. */
  async function warningOf(options: EmulatorOptions = {}): Promise<string | undefined> {
    const notices: string[] = [];
    await start({ ...options, onNotice: (text) => notices.push(text) });
    // The first command needs the same answer, so the warning has been given when that has run.
    const sessionId = await createId(url);
    await runShell(url, sessionId, "true");
    return notices[0];
  }

  test("its programs and settings cannot be changed, by whatever means", async () => {
    const warning = await warningOf();
    const sessionId = await createId(url);
    const name = `agb-emulator-test-${uniqueSeconds()}`;
    const tries = [
      `touch /etc/${name}`,
      `touch /usr/${name}`,
      `mount -o remount,bind,rw /etc && touch /etc/${name}`,
      `umount -l /etc && touch /etc/${name}`,
      `unshare --user --map-root-user --mount sh -c 'mount -o remount,bind,rw /usr; touch /usr/${name}'`,
      `nsenter --target 1 --mount touch /etc/${name}`,
      `chroot /proc/1/root touch /etc/${name}`,
      `mkdir escape && chroot escape true; cd /proc/1/cwd && touch ../../../etc/${name}`,
    ];
    for (const command of tries) {
      if (warning === undefined) {
        expect((await runShell(url, sessionId, command)).exit_code).not.toBe(0);
      }
    }
    const isChanged = ["/etc", "/usr"].some((folder) => existsSync(join(folder, name)));

    expect(isChanged).toBe(false);
    expect(warning ?? "kept apart").toMatch(/^kept apart$|not kept apart from this computer.*write wherever/);
  });

  test("a library of the session does not reach the programs that start its commands", async () => {
    await start();
    const sessionId = await createId(url);

    const { stdout, stderr } = await runShell(url, sessionId, "echo $LD_PRELOAD", {
      envs: { LD_PRELOAD: "/home/user/none.so", PATH: "/home/user/none" },
    });

    expect(stdout).toBe("/home/user/none.so\n");
    // Only the command's own shell may miss it.
    expect(stderr.split("\n").filter((line) => line.includes("none.so")).length).toBeLessThanOrEqual(2);
  });

  test("folders are made in the session only, whatever its commands put in their way meanwhile", async () => {
    const statePath = join(folder, "state.json");
    await start({ statePath });
    const sessionId = await createId(url);
    const outside = join(folder, "outside");
    mkdirSync(outside);
    // A folder and a link that change places all the time.
    const code = `const attempt = (name, ...args) => { try { fs[name](...args); } catch {} }; for (let n = 0; ; n++) { attempt('mkdirSync', 'a'); attempt('renameSync', 'a', 'old' + n); attempt('symlinkSync', '${outside}', 'a'); attempt('unlinkSync', 'a'); }`;
    await runShell(url, sessionId, `node -e "${code}" >/dev/null 2>&1 &`);

    for (let round = 0; round < 30; round += 1) {
      await Promise.all(
        [1, 2, 3, 4].map(async (number) => {
          await toolText(url, sessionId, "create_directory", { path: `a/${round}-${number}/deep` });
          await toolText(url, sessionId, "write_file", { path: `a/${round}-${number}/more/file`, content: "" });
        }),
      );
    }

    expect(readdirSync(outside)).toEqual([]);
  });

  test("what a session's folder shows of it stays in its place", async () => {
    const warning = await warningOf();
    const sessionId = await createId(url);
    const move = { source: "/usr", destination: "/home/user/usr" };

    const results = [
      await toolText(url, sessionId, "move_file", move),
      await toolText(url, sessionId, "write_file", { path: "/etc/passwd", content: "" }),
      await toolText(url, sessionId, "create_directory", { path: "/lib64/new" }),
    ];

    for (const result of results) {
      expect(warning ?? result).toMatch(/^failed: Read-only file system$|not kept apart/);
    }
  });

  test("what the program around the emulator has open does not reach a session that is kept apart", async () => {
    const warning = await warningOf();
    const file = join(folder, "outside.txt");
    const program = `
      const { startEmulator } = require(${JSON.stringify(join(repositoryRoot, "provider", "emulator", "index.ts"))});
      const { createId, runShell } = require(${JSON.stringify(join(repositoryRoot, "test", "support", "emulator-requests.ts"))});
      startEmulator({ allowExec: true }).then(async ({ url, close }) => {
        const command = "echo by a session >> /proc/self/fd/200; ls /proc/self/fd /proc/1/fd";
        console.log((await runShell(url, await createId(url), command)).stdout);
        await close();
      });
    `;
    const script = 'exec 200>>"$0" 10>>"$0" 255</; exec "$@"';
    const args = ["-c", script, file, process.execPath, "--import", "tsx", "-e", program];

    const bounds = { directory: repositoryRoot, environment: { TMPDIR: folder }, timeoutMs: 30_000 };
    const { stdout, stderr } = await runBounded("bash", args, bounds);

    expect(stderr).toBe("");
    const open = stdout.split("\n").filter((name) => Number(name) >= 200);
    expect(warning ?? open).toEqual(warning ?? []);
    expect(warning ?? readFileSync(file, "utf8")).toBe(warning ?? "");
  });

  test("sessions see no process but their own", async () => {
    const warning = await warningOf();
    const sessionId = await createId(url);
    const other = await leaveProcesses(await createId(url));

    const { stdout } = await runShell(url, sessionId, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");

    expect(warning ?? stdout).not.toContain(`sleep ${other}`);
    expect(stdout).toContain("cat /proc");
  });
});

describe("what a session leaves on disk goes with it", () => {
  test.each([
    ["a very deep tree", "for (let i = 0; i < 3000; i++) { fs.mkdirSync('deep'); process.chdir('deep'); }"],
    ["a name that is not UTF-8", "fs.mkdirSync(Buffer.from([0x64, 0xff])); fs.writeFileSync(Buffer.from([0xfe]), '');"],
    ["a folder that may not be written", "fs.mkdirSync('a/b', { recursive: true }); fs.chmodSync('a', 0);"],
    ["a link to a folder of this computer", "fs.symlinkSync('/tmp', 'link');"],
  ])("%s", async (_what, code) => {
    const statePath = join(folder, "state.json");
    const emulator = await start({ statePath });
    const sessionId = await createId(url);
    expect((await runShell(url, sessionId, `node -e "${code}"`)).stderr).toBe("");

    await emulator.release(sessionId);

    expect(readdirSync(`${statePath}.sessions`)).toEqual([]);
  });
});

test("tool calls set the idle timer back, at their end as well", async () => {
  const emulator = await start();
  const sessionId = await createId(url, {}, { timeout: 60 });
  for (let minute = 0; minute < 10; minute += 1) {
    clock.advance(50_000);
    await toolText(url, sessionId, "list_directory", { path: "/" });
  }
  const waiting = runShell(url, sessionId, "touch begun; while [ -e begun ]; do sleep 0.01; done");
  while ((await toolText(url, sessionId, "list_directory", { path: "." })) === "") {
    await new Promise((resolve) => setImmediate(resolve));
  }
  clock.advance(50_000);
  await toolText(url, sessionId, "delete_file", { path: "begun" });
  await waiting;

  expect(emulator.sessions()[0]?.lastActivityAtMs).toBe(clock.now());
});

test("the link of a port leads to a server that runs in the session", async () => {
  await start();
  const sessionId = await createId(url);
  await toolText(url, sessionId, "write_file", { path: "site/index.html", content: "hello from the session" });
  let answer: Response | undefined;
  // Another program of this computer may have the port.
  for (let port = 30_150; answer === undefined && port < 30_160; port += 1) {
    const server = `require("node:http").createServer((_, reply) => reply.end(require("node:fs").readFileSync("index.html"))).listen(${port}, "127.0.0.1", () => require("node:fs").writeFileSync("ready-${port}", "")).on("error", () => require("node:fs").writeFileSync("taken-${port}", ""))`;
    await toolText(url, sessionId, "write_file", { path: `site/server-${port}.js`, content: server });
    const waitFor = `until [ -e ready-${port} ] || [ -e taken-${port} ]; do sleep 0.02; done; ls ready-${port}`;
    const { exit_code } = await runShell(url, sessionId, `cd site; node server-${port}.js & cd site; ${waitFor}`);
    const link = await ask(url, "GET", "/internet/getLink", {
      query: { sessionId, protocolType: "https", port: String(port) },
    });
    answer = exit_code === 0 ? await fetch(link.body.data.url) : undefined;
  }

  expect(await answer?.text()).toBe("hello from the session");
});

describe("mounted contexts", () => {
  const mounted = (contextId: string, path: string, policy: unknown = {}) => ({
    persistenceDataList: [{ contextId, path, policy: JSON.stringify(policy) }],
  });
  const files = async (contextId: string) => {
    const emulator = running.at(-1) as Emulator;
    await ask(url, "GET", "/sdk/ListContexts");
    const context = emulator.contexts().find((other) => other.contextId === contextId);
    return context?.files.map((file) => file.path).sort();
  };

  test("carry files from one session to the next", async () => {
    await start();
    const contextId = await createContext(url, "data");
    const first = await createId(url, {}, mounted(contextId, "/home/user/data"));
    await toolText(url, first, "write_file", { path: "/home/user/data/deep/a.txt", content: "from the first" });
    await runShell(url, first, "echo by command > data/b.txt; echo elsewhere > c.txt; ln -s /etc/passwd data/link");
    await release(url, first);

    const second = await createId(url, {}, mounted(contextId, "/home/user/data"));

    expect(await files(contextId)).toEqual(["/home/user/data/b.txt", "/home/user/data/deep/a.txt"]);
    expect(await toolText(url, second, "read_file", { path: "data/deep/a.txt" })).toBe("from the first");
    expect((await runShell(url, second, "cat data/b.txt; ls")).stdout).toBe("by command\ndata\n");
  });

  test("are uploaded when the idle time is over, also while no emulator runs", async () => {
    const statePath = join(folder, "state.json");
    const first = await start({ statePath });
    const contextId = await createContext(url, "data");
    const sessionId = await createId(url, {}, { timeout: 60, ...mounted(contextId, "/data") });
    await toolText(url, sessionId, "write_file", { path: "/data/a", content: "text" });
    await first.close();
    clock.advance(120_000);

    await start({ statePath });

    expect(await files(contextId)).toEqual(["/data/a"]);
    expect(await download(url, contextId, "/data/a")).toBe("text");
    expect(readdirSync(`${statePath}.sessions`)).toEqual([]);
  });

  test("files that a session deletes are deleted, those that others stored meanwhile stay", async () => {
    await start();
    const contextId = await createContext(url, "data");
    await upload(url, contextId, "/data/a", "a");
    await upload(url, contextId, "/data/b", "b");
    const sessionId = await createId(url, {}, mounted(contextId, "/data"));
    await upload(url, contextId, "/data/c", "c");
    await toolText(url, sessionId, "delete_file", { path: "/data/a" });
    await toolText(url, sessionId, "write_file", { path: "/data/b", content: "B" });

    await release(url, sessionId);

    expect(await files(contextId)).toEqual(["/data/b", "/data/c"]);
    expect(await download(url, contextId, "/data/b")).toBe("B");
  });

  test("obey their policy", async () => {
    await start();
    const contextId = await createContext(url, "data");
    await upload(url, contextId, "/old/kept", "1");
    await upload(url, contextId, "/old/in/a", "2");
    await upload(url, contextId, "/old/in/out/b", "3");
    const session = async (policy: unknown) => {
      const sessionId = await createId(url, {}, mounted(contextId, "/data", policy));
      return { sessionId, found: (await runShell(url, sessionId, "cd /data && find . -type f | sort")).stdout };
    };
    const whiteLists = [{ path: "/in", excludePaths: ["/in/out"] }];

    const listed = await session({ mappingPolicy: { path: "/old" }, bwList: { whiteLists } });
    expect(listed.found).toBe("./in/a\n");
    await runShell(url, listed.sessionId, "cd /data && echo 4 > in/new && echo 5 > not-listed && rm in/a");
    await release(url, listed.sessionId);
    expect(await files(contextId)).toEqual(["/old/in/new", "/old/in/out/b", "/old/kept"]);

    const neither = { uploadPolicy: { autoUpload: false }, downloadPolicy: { autoDownload: false } };
    const byHand = await session({ ...neither, mappingPolicy: { path: "/old" } });
    expect(byHand.found).toBe("");
    const { sessionId } = byHand;
    await contextCall(url, "SyncContext", { sessionId, mode: "download" });
    expect((await runShell(url, sessionId, "ls /data")).stdout).toBe("in\nkept\n");
    await runShell(url, sessionId, "echo changed > /data/kept");
    await release(url, sessionId);
    expect(await download(url, contextId, "/old/kept")).toBe("1");

    const keeps = await session({ deletePolicy: { syncLocalFile: false }, mappingPolicy: { path: "/old" } });
    await runShell(url, keeps.sessionId, "rm -r /data/in");
    await release(url, keeps.sessionId);
    expect(await files(contextId)).toEqual(["/old/in/new", "/old/in/out/b", "/old/kept"]);
  });

  describe("of which some files cannot be copied", () => {
    // One whose name is not UTF-8, one that is too large, one in too deep a folder, and two that can be copied.
    const leave =
      "cd /data && node -e \"fs.writeFileSync(Buffer.from([0x61, 0xff]), ''); for (let i = 0; i < 1000; i++) { fs.mkdirSync('deep'); process.chdir('deep'); } fs.writeFileSync('far', '')\"; head -c 3000 /dev/zero > large; echo 1 > one; mkdir in; echo 2 > in/two; mkfifo pipe; ln -s /etc link";

    test("keep all others, and the state of the synchronization names them", async () => {
      await start({ maximumFileBytes: 2000 });
      const contextId = await createContext(url, "data");
      await upload(url, contextId, "/data/large", "an earlier one");
      const sessionId = await createId(url, {}, mounted(contextId, "/data"));
      await runShell(url, sessionId, leave);

      await contextCall(url, "SyncContext", { sessionId, mode: "upload" });

      expect(await files(contextId)).toEqual(["/data/in/two", "/data/large", "/data/one"]);
      expect(await download(url, contextId, "/data/large")).toBe("an earlier one");
      const [item] = await syncItems(url, sessionId, { taskType: "upload" });
      expect(item).toMatchObject({ status: "Failed" });
      expect(item.errorMessage).toMatch(/^Not uploaded: .*Files uploaded: 2\.$/);
      expect(item.errorMessage).toContain("/data/large (more than 2000 bytes)");
      expect(item.errorMessage).toContain("/data/a\ufffd (its name is not UTF-8)");
      expect(item.errorMessage).toMatch(/\/data\/deep.* \(File name too long\)/);
    });

    test("keep all others at the end of the session too, and the emulator says which are lost", async () => {
      const notices: string[] = [];
      await start({ maximumFileBytes: 2000, onNotice: (text) => notices.push(text) });
      const contextId = await createContext(url, "data");
      const sessionId = await createId(url, {}, mounted(contextId, "/data"));
      await runShell(url, sessionId, leave);

      await release(url, sessionId);

      expect(await files(contextId)).toEqual(["/data/in/two", "/data/one"]);
      const said = notices.filter((text) => text.includes(sessionId));
      expect(said).toEqual([expect.stringContaining(`context ${contextId} at /data: Not uploaded: `)]);
      expect(said[0]).toContain("/data/large (more than 2000 bytes)");
    });

    test("on the way into a session keep all others, too", async () => {
      await start();
      const contextId = await createContext(url, "data");
      await upload(url, contextId, "/data/a", "a");
      await upload(url, contextId, "/data/folder", "is a file");
      const manual = { downloadPolicy: { autoDownload: false } };
      const sessionId = await createId(url, {}, mounted(contextId, "/data", manual));
      await toolText(url, sessionId, "create_directory", { path: "/data/folder" });

      await contextCall(url, "SyncContext", { sessionId, mode: "download" });

      expect(await toolText(url, sessionId, "read_file", { path: "/data/a" })).toBe("a");
      expect(await syncItems(url, sessionId, { taskType: "download" })).toMatchObject([
        { status: "Failed", errorMessage: "Not downloaded: /data/folder (Is a directory). Files downloaded: 1." },
      ]);
    });
  });

  test("keep only requests waiting that use the context, not other sessions or contexts, while it is uploaded", async () => {
    await start();
    const contextId = await createContext(url, "data");
    const otherId = await createContext(url, "other");
    const [ended, goesOn] = [await createId(url, {}, mounted(contextId, "/data")), await createId(url)];
    await runShell(url, ended, "cd /data && for i in $(seq 300); do echo $i > $i; done");
    await release(url, ended);
    const order: string[] = [];
    const note = async (what: string, request: Promise<unknown>) => {
      await request;
      order.push(what);
    };

    await Promise.all([
      note("contexts", ask(url, "GET", "/sdk/ListContexts")),
      note("its files", contextCall(url, "DescribeContextFiles", { contextId })),
      note("mounts it", createId(url, {}, mounted(contextId, "/data"))),
      note("session", status(url, goesOn)),
      note("list", ask(url, "GET", "/sdk/ListSession")),
      note("tool", toolText(url, goesOn, "list_directory", { path: "/" })),
      note("new session", createId(url)),
      note("other context", contextCall(url, "DescribeContextFiles", { contextId: otherId })),
      note("other upload", upload(url, otherId, "/a", "text")),
      note("mounts other", createId(url, {}, mounted(otherId, "/data"))),
    ]);

    expect(order.slice(0, 7).sort()).toEqual(
      ["list", "mounts other", "new session", "other context", "other upload", "session", "tool"].sort(),
    );
    expect((await files(contextId))?.length).toBe(300);
  });

  test("a file of 300 MB is no trouble", async () => {
    await start();
    const contextId = await createContext(url, "data");
    const sessionId = await createId(url, {}, mounted(contextId, "/data"));
    await runShell(url, sessionId, "truncate -s 300M /data/large");

    await contextCall(url, "SyncContext", { sessionId, mode: "upload" });

    expect(await syncItems(url, sessionId, { taskType: "upload" })).toMatchObject([{ status: "Success" }]);
    const context = running
      .at(-1)
      ?.contexts()
      .find((other) => other.contextId === contextId);
    expect(context?.files).toEqual([{ path: "/data/large", sizeBytes: 300 * 1024 * 1024 }]);
  });

  test("one that cannot be uploaded is told as failed", async () => {
    await start({ maximumFileBytes: 10 });
    const contextId = await createContext(url, "data");
    const sessionId = await createId(url, {}, mounted(contextId, "/data"));
    await toolText(url, sessionId, "write_file", { path: "/data/a", content: "more than ten" });

    await contextCall(url, "SyncContext", { sessionId, mode: "upload" });

    expect(await syncItems(url, sessionId, { taskType: "upload" })).toMatchObject([
      { status: "Failed", errorMessage: "Not uploaded: /data/a (more than 10 bytes). Files uploaded: 0." },
    ]);
  });

  test("a transfer moves single files into and out of a session", async () => {
    await start();
    const sessionId = await createId(url);
    const loaded = await contextCall(url, "GetAndLoadInternalContext", { sessionId });
    const { contextId, contextPath } = loaded.body.data[0];
    await upload(url, contextId, `${contextPath}/in.txt`, "from outside");
    await contextCall(url, "SyncContext", { sessionId, contextId, path: contextPath, mode: "download" });
    expect(await toolText(url, sessionId, "read_file", { path: `${contextPath}/in.txt` })).toBe("from outside");
    await toolText(url, sessionId, "write_file", { path: `${contextPath}/out.txt`, content: "from inside" });

    await contextCall(url, "SyncContext", { sessionId, contextId, path: contextPath, mode: "upload" });

    expect(await download(url, contextId, `${contextPath}/out.txt`)).toBe("from inside");
  });
});

describe("restart", () => {
  test("keeps a running session's files and ends its processes", async () => {
    const statePath = join(folder, "state.json");
    const first = await start({ statePath });
    const sessionId = await createId(url);
    await toolText(url, sessionId, "write_file", { path: "a", content: "text" });
    const seconds = await leaveProcesses(sessionId);
    await first.close();
    expect(await outlives(`sleep ${seconds}`)).toBe(false);

    const second = await start({ statePath });

    expect(await status(url, sessionId)).toBe("RUNNING");
    expect(await toolText(url, sessionId, "read_file", { path: "a" })).toBe("text");
    await second.release(sessionId);
    expect(existsSync(join(`${statePath}.sessions`, sessionId))).toBe(false);
  });

  test("a session that began before tools were allowed can use them", async () => {
    const statePath = join(folder, "state.json");
    const first = await start({ statePath, allowExec: false });
    const sessionId = await createId(url);
    expect(await toolText(url, sessionId, "get_metrics", {})).toMatch(/^failed: .*--allow-exec/);
    await first.close();

    await start({ statePath });

    expect((await runShell(url, sessionId, "echo hi")).stdout).toBe("hi\n");
  });
});
