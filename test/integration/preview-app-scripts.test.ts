// The scripts that start and stop the app of a preview environment, run by this computer's `sh`.

import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type AppStart, startAppScript, stopAppScript } from "../../provider/resources/app-scripts";
import { runBounded } from "../support/bounded-process";
import { closeAfterTest } from "../support/close-after-test";
import { makeTemporaryFolder } from "../support/node-process";

jest.setTimeout(60_000);

const server = `
  const { createServer } = require("node:http");
  const [status = 200, word = "hello"] = process.argv.slice(2);
  console.log("listening, " + word);
  createServer((request, response) => {
    response.writeHead(request.url === "/health" ? Number(status) : 404).end(word);
  }).listen(process.env.PORT, "127.0.0.1");
`;

/** A session: a home directory with a server in it, and a free port. Its app ends with the test. */
async function openSession({ programs }: { readonly programs?: readonly string[] } = {}) {
  const home = await makeTemporaryFolder();
  await writeFile(join(home, "server.js"), server);
  const port = await freePort();
  const path = programs === undefined ? process.env["PATH"] : await linkPrograms(join(home, "bin"), programs);
  const environment = { PATH: path, HOME: home };
  const run = (script: string, more: NodeJS.ProcessEnv = {}) =>
    runBounded("/bin/sh", ["-c", script], {
      directory: home,
      environment: { ...environment, ...more },
      timeoutMs: 50_000,
    });
  const start = (command: string, more: Partial<AppStart> = {}, variables: NodeJS.ProcessEnv = {}) =>
    run(startAppScript({ command, port, healthPath: "/health", startTimeoutSeconds: 20, ...more }), variables);
  const stop = () => run(stopAppScript(port), { PATH: process.env["PATH"] });
  closeAfterTest({ close: async () => void (await stop()) });
  const answer = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.text(),
      () => "no answer",
    );
  const folder = join(home, `.pulumi-agb-app-${port}`);
  const log = () => readFile(join(folder, "log"), "utf8");
  return { home, folder, port, run, start, stop, answer, log };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A folder with these programs and the ones that every session has. */
async function linkPrograms(folder: string, programs: readonly string[]): Promise<string> {
  await mkdir(folder);
  const python = "import sys; print(sys.executable)";
  const find = 'for name in "$@"; do command -v "$name" || echo; done; python3 -c "$0"';
  const names = ["cat", "cut", "date", "mkdir", "rm", "sed", "setsid", "sh", "sleep", "tail", ...programs];
  const found = await runBounded("/bin/sh", ["-c", find, python, ...names], {
    directory: "/",
    environment: process.env,
    timeoutMs: 20_000,
  });
  const paths = found.stdout.split("\n");
  for (const [index, name] of names.entries()) {
    // A version manager puts a script in place of Python, which needs more than is here.
    const target = name === "python3" ? paths.at(-2) : paths[index];
    await symlink(target ?? "", join(folder, name));
  }
  return folder;
}

const node = JSON.stringify(process.execPath);

test("an app is started, and goes on when the command has ended", async () => {
  const { start, answer, port, log } = await openSession();
  expect(await start(`${node} server.js`)).toEqual({
    exitCode: 0,
    stdout: `The app answers at /health on port ${port} (HTTP 200).\n`,
    stderr: "",
  });
  expect(await answer()).toBe("hello");
  expect(await log()).toBe("listening, hello\n");
});

test("a second start stops the first app, with all that it started", async () => {
  const { start, answer } = await openSession();
  // This server does not end with its shell's direct child.
  await start(`${node} server.js 200 first & trap '' TERM; wait; sleep 100`);
  expect(await answer()).toBe("first");
  expect((await start(`${node} server.js 200 second`)).exitCode).toBe(0);
  expect(await answer()).toBe("second");
});

test("a stop ends the app, and a second one succeeds too", async () => {
  const { start, stop, answer } = await openSession();
  await start(`${node} server.js`);
  expect(await stop()).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  expect(await answer()).toBe("no answer");
  expect((await stop()).exitCode).toBe(0);
});

test("a stop succeeds where no app was ever started", async () => {
  const { stop } = await openSession();
  expect(await stop()).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("an app that starts late is waited for", async () => {
  const { start, answer } = await openSession();
  expect((await start(`sleep 2; exec ${node} server.js`)).exitCode).toBe(0);
  expect(await answer()).toBe("hello");
});

test("an app that ends fails the command, with its exit code and the end of its log", async () => {
  const { start, port, folder } = await openSession();
  const { exitCode, stdout, stderr } = await start("seq 1 200; echo 'no database' >&2; exit 3");
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toMatch(
    new RegExp(
      `^The app ended with exit code 3 before it answered at /health on port ${port}\\.\nThe end of its log \\(${folder}/log\\):\n152\n`,
    ),
  );
  expect(stderr).toMatch(/\n200\nno database\n$/);
});

test.each([
  ["whose health check fails", `${node} server.js 503`, "it answered HTTP 503"],
  ["that listens nowhere", "echo waiting; exec sleep 100", "nothing answers there"],
])("an app %s fails the command in time, and does not go on", async (_, command, reason) => {
  const { start, answer, port, folder } = await openSession();
  const { exitCode, stderr } = await start(command, { startTimeoutSeconds: 2 });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`The app did not answer at /health on port ${port} within 2 seconds: ${reason}.\n`);
  expect(stderr).toMatch(/\n(listening, hello|waiting)\n$/);
  expect(await answer()).toBe("no answer");
  await expect(readFile(join(folder, "process"))).rejects.toThrow("ENOENT");
});

test("a port that another program uses is refused, and the app is not started", async () => {
  const { start, port, home } = await openSession();
  const other = createServer((_, response) => response.end("other"));
  await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
  closeAfterTest({ close: () => void other.close() });
  const { exitCode, stderr } = await start("touch started; sleep 100");
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`Port ${port} is in use: another program answers there (HTTP 200).`);
  await expect(readFile(join(home, "started"))).rejects.toThrow("ENOENT");
});

test("a process that only has the number of an earlier app is left alone", async () => {
  const { run, start, stop, folder, answer } = await openSession();
  await start(`${node} server.js`);
  const [group = ""] = (await readFile(join(folder, "process"), "utf8")).split("\n");
  // As after the session was recreated, with the folder in a context.
  await writeFile(join(folder, "process"), `${group}\n11111111-2222-3333-4444-555555555555 4711\n`);
  expect((await stop()).exitCode).toBe(0);
  expect(await answer()).toBe("hello");
  await run(`kill -s KILL -- -${group}`);
  await sleep(10);
});

test("an app gets its variables and an empty input, and its command may hold any characters", async () => {
  const { start, log } = await openSession();
  const command = `echo "it's \\"$WORD\\" in $(basename "$(pwd)")"; cat; exec ${node} server.js`;
  expect((await start(command, {}, { WORD: "a'b" })).exitCode).toBe(0);
  expect(await log()).toMatch(/^it's "a'b" in [^/\n]+\nlistening, hello\n$/);
});

test.each(["curl", "python3", "node", "wget"])("a session that has only %s can ask the app", async (program) => {
  const { start, answer } = await openSession({ programs: [program] });
  expect((await start(`exec ${node} server.js 503`, { startTimeoutSeconds: 2 })).stderr).toContain("did not answer");
  expect((await start(`exec ${node} server.js`)).exitCode).toBe(0);
  expect(await answer()).toBe("hello");
});

test("a session that has none of them says so, and starts nothing", async () => {
  const { start, home } = await openSession({ programs: [] });
  const { exitCode, stderr } = await start("touch started; sleep 100");
  expect(exitCode).toBe(1);
  expect(stderr).toBe(
    "The session has none of curl, python3, node and wget, so nothing can ask the app whether it works.\n",
  );
  await expect(readFile(join(home, "started"))).rejects.toThrow("ENOENT");
});

test("a proxy of the session's environment is not asked", async () => {
  const { start } = await openSession();
  const proxy = { http_proxy: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9", ALL_PROXY: "http://127.0.0.1:9" };
  expect((await start(`${node} server.js`, {}, proxy)).exitCode).toBe(0);
});
