import { existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { commandLines, outlives } from "../support/command-lines";
import { ask, callTool, createId, release, runShell, status, toolText } from "../support/emulator-requests";
import { leaveProcesses, sessionsFolder, useSandboxEmulator } from "../support/sandbox-emulator";

const sandbox = useSandboxEmulator();

describe("what a session runs ends", () => {
  test("with its release, while another session's goes on", async () => {
    await sandbox.start();
    const [first, second] = [await createId(sandbox.url), await createId(sandbox.url)];
    const [ended, goesOn] = [await leaveProcesses(sandbox.url, first), await leaveProcesses(sandbox.url, second)];

    await release(sandbox.url, first);

    expect(await outlives(`sleep ${ended}`)).toBe(false);
    expect(commandLines()).toContain(`sleep ${goesOn}`);
    expect((await callTool(sandbox.url, first, "shell", { command: "true" })).body.code).toBe(
      "InvalidSession.NotFound",
    );
  });

  test("with its idle time, without anybody asking", async () => {
    await sandbox.start();
    const sessionId = await createId(sandbox.url, {}, { timeout: 60 });
    const seconds = await leaveProcesses(sandbox.url, sessionId);

    sandbox.clock.advance(60_000);

    expect(await outlives(`sleep ${seconds}`)).toBe(false);
  });

  test("with a release by the controls, and with a reset", async () => {
    const emulator = await sandbox.start();
    const [first, second] = [await createId(sandbox.url), await createId(sandbox.url)];
    const [released, reset] = [await leaveProcesses(sandbox.url, first), await leaveProcesses(sandbox.url, second)];

    await emulator.release(first);
    expect(await outlives(`sleep ${released}`)).toBe(false);
    await emulator.reset();
    expect(await outlives(`sleep ${reset}`)).toBe(false);
  });

  test("with the emulator, also a command that is being waited for", async () => {
    const emulator = await sandbox.start();
    const sessionId = await createId(sandbox.url);
    const seconds = await leaveProcesses(sandbox.url, sessionId);
    const waiting = callTool(sandbox.url, sessionId, "shell", { command: `sleep ${seconds}`, timeout_ms: 60_000 });

    await emulator.close();

    await waiting.catch(() => undefined);
    expect(await outlives(`sleep ${seconds}`)).toBe(false);
  });

  test("and a command that is being waited for fails when its session is released", async () => {
    await sandbox.start();
    const sessionId = await createId(sandbox.url);
    const waiting = callTool(sandbox.url, sessionId, "shell", {
      command: "touch begun; sleep 1000",
      timeout_ms: 60_000,
    });
    while ((await toolText(sandbox.url, sessionId, "list_directory", { path: "." })) === "") {
      await new Promise((resolve) => setImmediate(resolve));
    }

    await release(sandbox.url, sessionId);

    expect((await waiting).body.code).toBe("InvalidSession.NotFound");
  });
});

describe("what a session leaves on disk is removed with it", () => {
  test.each([
    ["a very deep tree", "for (let i = 0; i < 3000; i++) { fs.mkdirSync('deep'); process.chdir('deep'); }"],
    ["a name that is not UTF-8", "fs.mkdirSync(Buffer.from([0x64, 0xff])); fs.writeFileSync(Buffer.from([0xfe]), '');"],
    ["a folder that may not be written", "fs.mkdirSync('a/b', { recursive: true }); fs.chmodSync('a', 0);"],
    ["a link to a folder of this computer", "fs.symlinkSync('/tmp', 'link');"],
  ])("%s", async (_what, code) => {
    const statePath = join(sandbox.folder, "state.json");
    const emulator = await sandbox.start({ statePath });
    const sessionId = await createId(sandbox.url);
    expect((await runShell(sandbox.url, sessionId, `node -e "${code}"`)).stderr).toBe("");

    await emulator.release(sessionId);

    expect(readdirSync(sessionsFolder(statePath))).toEqual([]);
  });
});

test("tool calls reset the idle timer, also when they end", async () => {
  const emulator = await sandbox.start();
  const sessionId = await createId(sandbox.url, {}, { timeout: 60 });
  for (let minute = 0; minute < 10; minute += 1) {
    sandbox.clock.advance(50_000);
    await toolText(sandbox.url, sessionId, "list_directory", { path: "/" });
  }
  const waiting = runShell(sandbox.url, sessionId, "touch begun; while [ -e begun ]; do sleep 0.01; done");
  while ((await toolText(sandbox.url, sessionId, "list_directory", { path: "." })) === "") {
    await new Promise((resolve) => setImmediate(resolve));
  }
  sandbox.clock.advance(50_000);
  await toolText(sandbox.url, sessionId, "delete_file", { path: "begun" });
  await waiting;

  expect(emulator.sessions()[0]?.lastActivityAtMs).toBe(sandbox.clock.now());
});

test("the link of a port leads to a server that runs in the session", async () => {
  await sandbox.start();
  const sessionId = await createId(sandbox.url);
  await toolText(sandbox.url, sessionId, "write_file", { path: "site/index.html", content: "hello from the session" });
  let answer: Response | undefined;
  // Another program on this computer may use the port.
  for (let port = 30_150; answer === undefined && port < 30_160; port += 1) {
    const server = `require("node:http").createServer((_, reply) => reply.end(require("node:fs").readFileSync("index.html"))).listen(${port}, "127.0.0.1", () => require("node:fs").writeFileSync("ready-${port}", "")).on("error", () => require("node:fs").writeFileSync("taken-${port}", ""))`;
    await toolText(sandbox.url, sessionId, "write_file", { path: `site/server-${port}.js`, content: server });
    const waitFor = `until [ -e ready-${port} ] || [ -e taken-${port} ]; do sleep 0.02; done; ls ready-${port}`;
    const { exit_code } = await runShell(
      sandbox.url,
      sessionId,
      `cd site; node server-${port}.js & cd site; ${waitFor}`,
    );
    const link = await ask(sandbox.url, "GET", "/internet/getLink", {
      query: { sessionId, protocolType: "https", port: String(port) },
    });
    answer = exit_code === 0 ? await fetch(link.body.data.url) : undefined;
  }

  expect(await answer?.text()).toBe("hello from the session");
});

describe("restart", () => {
  test("keeps a running session's files and ends its processes", async () => {
    const statePath = join(sandbox.folder, "state.json");
    const first = await sandbox.start({ statePath });
    const sessionId = await createId(sandbox.url);
    await toolText(sandbox.url, sessionId, "write_file", { path: "a", content: "text" });
    const seconds = await leaveProcesses(sandbox.url, sessionId);
    await first.close();
    expect(await outlives(`sleep ${seconds}`)).toBe(false);

    const second = await sandbox.start({ statePath });
    const folder = sessionsFolder(statePath);

    expect(await status(sandbox.url, sessionId)).toBe("RUNNING");
    expect(await toolText(sandbox.url, sessionId, "read_file", { path: "a" })).toBe("text");
    expect(existsSync(join(folder, sessionId))).toBe(true);
    await second.release(sessionId);
    expect(existsSync(join(folder, sessionId))).toBe(false);
  });

  test("keeps a session's files while another state uses the state file's path", async () => {
    const statePath = join(sandbox.folder, "state.json");
    const first = await sandbox.start({ statePath });
    const sessionId = await createId(sandbox.url);
    await toolText(sandbox.url, sessionId, "write_file", { path: "a", content: "text" });
    await first.close();
    renameSync(statePath, join(sandbox.folder, "aside.json"));
    const other = await sandbox.start({ statePath });
    await other.release(await createId(sandbox.url));
    await other.reset();
    await other.close();
    renameSync(join(sandbox.folder, "aside.json"), statePath);

    await sandbox.start({ statePath });

    expect(await toolText(sandbox.url, sessionId, "read_file", { path: "a" })).toBe("text");
  });

  test("a session that began before tools were allowed can use them", async () => {
    const statePath = join(sandbox.folder, "state.json");
    const first = await sandbox.start({ statePath, allowExec: false });
    const sessionId = await createId(sandbox.url);
    expect(await toolText(sandbox.url, sessionId, "get_metrics", {})).toMatch(/^failed: .*--allow-exec/);
    await first.close();

    await sandbox.start({ statePath });

    expect((await runShell(sandbox.url, sessionId, "echo hi")).stdout).toBe("hi\n");
  });
});
