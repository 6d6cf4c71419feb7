// The scripts that start and stop the app of a preview environment, run by this computer's `sh`.

import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AppStart,
  appFolder,
  askAppScript,
  startAppScript,
  stopAppScript,
} from "../../provider/lifecycle/app-scripts";
import { quoteForShell } from "../../provider/lifecycle/shell-quoting";
import { runBounded } from "../support/bounded-process";
import { closeAfterTest } from "../support/close-after-test";
import { makeTemporaryFolder } from "../support/node-process";

jest.setTimeout(60_000);

const server = `
  const { createServer } = require("node:http");
  const [status = 200, word = "hello", healthPath = "/health"] = process.argv.slice(2);
  console.log("listening, " + word);
  createServer((request, response) => {
    const health = decodeURIComponent(request.url) === healthPath;
    response.writeHead(health ? Number(status) : 404, { location: "/elsewhere" }).end(word);
  }).listen(process.env.PORT, "127.0.0.1");
`;

/** A session: a home directory with a server in it, and a free port. Its app ends with the test. */
async function openSession({ programs }: { readonly programs?: readonly string[] } = {}) {
  const home = await makeTemporaryFolder();
  await writeFile(join(home, "server.js"), server);
  const port = await freePort();
  const path = programs === undefined ? process.env["PATH"] : await linkPrograms(join(home, "bin"), programs);
  const environment = { PATH: path, HOME: home };
  const run = async (script: string, more: NodeJS.ProcessEnv = {}) => {
    const file = join(await makeTemporaryFolder(), "script");
    await writeFile(file, script);
    const variables = { ...environment, ...more };
    return runBounded("/bin/sh", [file], { directory: home, environment: variables, timeoutMs: 50_000 });
  };
  const start = (command: string, more: Partial<AppStart> = {}, variables: NodeJS.ProcessEnv = {}) =>
    run(startAppScript({ command, port, healthPath: "/health", startTimeoutSeconds: 20, ...more }), variables);
  const ask = (healthPath = "/health") => run(askAppScript({ port, healthPath }));
  const stop = () => run(stopAppScript, { PATH: process.env["PATH"] });
  // A stop gives the app time to end, which a test does not need.
  closeAfterTest({ close: () => run(`read -r group < ${appFolder}/process && kill -s KILL -- "-$group"`) });
  const answer = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.text(),
      () => "no answer",
    );
  const folder = join(home, appFolder);
  const log = () => readFile(join(folder, "log"), "utf8");
  return { home, folder, port, run, start, ask, stop, answer, log };
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
  const names = ["cat", "cut", "mkdir", "rm", "sed", "setsid", "sh", "sleep", "tail", "wc", ...programs];
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

test("an app whose log cannot be written fails with the reason", async () => {
  const { start, folder } = await openSession();
  await mkdir(join(folder, "log"), { recursive: true });
  const { exitCode, stderr } = await start("echo hello");
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/log: Is a directory[\s\S]*\nThe app ended with exit code \d+ before it answered/);
});

test("no line of the log is cut, because a part of a secret would not be recognized", async () => {
  const { start } = await openSession();
  const lines = "for word in one two three; do head -c 7000 /dev/zero | tr '\\0' x; echo $word; done";
  const { stderr } = await start(`${lines}; exit 3`);
  expect(stderr).toMatch(/log\):\nx{7000}two\nx{7000}three\n\nThe app ended/);
});

test("the app on the former port is stopped, also when its command was never told to stop it", async () => {
  const { start, answer } = await openSession();
  const other = await freePort();
  await start(`exec ${node} server.js`, { port: other });
  await start(`exec ${node} server.js`);
  expect(await answer()).toBe("hello");
  await expect(fetch(`http://127.0.0.1:${other}/`)).rejects.toThrow("fetch failed");
});

test("an app whose name is cut inside of a character is stopped too", async () => {
  const { start, stop, answer } = await openSession();
  const command = `exec ${node} -e 'process.title = "vorschau shop \u00dcbersicht"; require("./server.js")'`;
  await start(command, {}, { LANG: "C.UTF-8" });
  expect(await answer()).toBe("hello");
  await stop();
  expect(await answer()).toBe("no answer");
});

test("a time of day that jumps neither ends the wait early nor makes it longer", async () => {
  const { start, home } = await openSession();
  await mkdir(join(home, "jumping"));
  const date = `#!/bin/sh\nif [ -e "${home}/jumped" ]; then echo 1; else touch "${home}/jumped"; echo 4000000000; fi\n`;
  await writeFile(join(home, "jumping", "date"), date, { mode: 0o755 });
  const late = `sleep 1; exec ${node} server.js`;
  const path = { PATH: `${home}/jumping:${process.env["PATH"]}` };
  expect((await start(late, {}, path)).exitCode).toBe(0);
  const silent = await start("sleep 100", { startTimeoutSeconds: 1 }, path);
  expect(silent.stderr).toContain("within 1 seconds");
});

test("the command is in no list of processes, and may be long", async () => {
  const { start, log } = await openSession();
  const long = `: ${"x".repeat(200_000)}`;
  await start(`${long}; : s3cret; cat /proc/*/cmdline | tr '\\0' ' '; ls .pulumi-agb-app; exec ${node} server.js`);
  expect(await log()).not.toContain("s3cret");
  expect(await log()).toContain("log\nprocess\nlistening");
});

test("an app that ends fails the command, with its exit code and the end of its log", async () => {
  const { start, port, folder } = await openSession();
  const { exitCode, stdout, stderr } = await start("seq 1 200; echo 'no database' >&2; exit 3");
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  const end = `The app ended with exit code 3 before it answered at /health on port ${port}.\n`;
  const lines = Array.from({ length: 49 }, (_, index) => index + 152).join("\n");
  // The reason comes last, because an error shows only the end of a long output.
  expect(stderr).toBe(`The end of the app's log (${folder}/log):\n${lines}\nno database\n\n${end}`);
});

test.each([
  ["whose health check fails", `${node} server.js 503`, "it answered HTTP 503"],
  ["that listens nowhere", "echo waiting; exec sleep 100", "nothing answers there"],
  ["that only redirects", `${node} server.js 302`, "it answered HTTP 302, a redirect. Name a path that answers itself"],
])("an app %s fails the command in time, and does not go on", async (_, command, reason) => {
  const { start, answer, port, folder } = await openSession();
  const { exitCode, stderr } = await start(command, { startTimeoutSeconds: 2 });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`The app did not answer at /health on port ${port} within 2 seconds: ${reason}.\n`);
  expect(stderr).toMatch(/log\):\n(listening, hello|waiting)\n\nThe app did not answer/);
  expect(await answer()).toBe("no answer");
  const [group] = (await readFile(join(folder, "process"), "utf8")).split("\n");
  expect(() => process.kill(-Number(group), 0)).toThrow("ESRCH");
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

describe("a process that only has the number of an earlier app is left alone", () => {
  const found = "11111111-2222-3333-4444-555555555555 4711";

  test.each([
    ["the session was recreated, with the folder in a context", (record: string[]) => [record[0], found, record[2]]],
    ["another process has the number now", (record: string[]) => [record[0], record[1], "4711"]],
    ["nothing was known about the app", (record: string[]) => [record[0], " ", ""]],
    ["the record was cut off", (record: string[]) => [record[0]]],
    ["the record is no number", (record: string[]) => ["1; kill", record[1], record[2]]],
  ])("when %s", async (_, change) => {
    const { run, start, stop, folder, answer } = await openSession();
    await start(`${node} server.js`);
    const record = (await readFile(join(folder, "process"), "utf8")).split("\n");
    await writeFile(join(folder, "process"), `${change(record).join("\n")}\n`);
    expect(await stop()).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(await answer()).toBe("hello");
    await run(`kill -s KILL -- -${record[0]}`);
  });
});

test("an app whose first process has ended is stopped too", async () => {
  const { start, stop, answer, folder } = await openSession();
  await start(`${node} server.js & sleep 1`);
  const [group = ""] = (await readFile(join(folder, "process"), "utf8")).split("\n");
  for (let isRunning = true; isRunning; ) {
    await sleep(50);
    isRunning = existsSync(`/proc/${group}`);
  }
  expect(await answer()).toBe("hello");
  await stop();
  expect(await answer()).toBe("no answer");
});

test("an app that goes on in the background is refused, with the reason", async () => {
  const { start, run, home } = await openSession();
  const command = `setsid sh -c 'echo $$ > background; exec ${node} server.js' & while ! ${"curl -s $0"} localhost:$PORT; do sleep 0.1; done`;
  const { exitCode, stderr } = await start(command);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/\nThe app went on in the background on port \d+, so it cannot be stopped\. Start it in the/);
  await run(`kill -s KILL "$(cat ${home}/background)"`);
});

test("an app gets its variables and an empty input, and its command may hold any characters", async () => {
  const { start, log } = await openSession();
  const command = `echo "it's \\"$WORD\\" in $(basename "$(pwd)")"; cat; exec ${node} server.js`;
  expect((await start(command, {}, { WORD: "a'b" })).exitCode).toBe(0);
  expect(await log()).toMatch(/^it's "a'b" in [^/\n]+\nlistening, hello\n$/);
});

describe.each(["curl", "python3", "node", "wget"])("in a session that has only %s", (program) => {
  const programs = program === "wget" ? ["wget", "timeout"] : [program];

  test("an app is asked, and a redirect is not followed", async () => {
    const { start, answer } = await openSession({ programs });
    const silent = await start(`exec ${node} server.js 503`, { startTimeoutSeconds: 2 });
    expect(silent.stderr).toContain("it answered HTTP 503.");
    const redirecting = await start(`exec ${node} server.js 307`, { startTimeoutSeconds: 2 });
    expect(redirecting.stderr).toContain("it answered HTTP 307, a redirect.");
    expect((await start(`exec ${node} server.js 204`)).stdout).toContain("(HTTP 204)");
    expect(await answer()).toBe("hello");
  });

  test("a health path is sent and shown as it is, and no part of it runs", async () => {
    const { start, port, home, ask } = await openSession({ programs });
    const healthPath = '/{a,b}?filter[1-3]="it\'s"&`>ran`&$(>ran)&$HOME;>ran';
    const command = `exec ${node} server.js 200 hello ${quoteForShell(healthPath)}`;
    expect(await start(command, { healthPath })).toEqual({
      exitCode: 0,
      stdout: `The app answers at ${healthPath} on port ${port} (HTTP 200).\n`,
      stderr: "",
    });
    expect((await ask(healthPath)).stdout).toBe("200\n");
    expect(existsSync(join(home, "ran"))).toBe(false);
  });

  test("an answer whose body never ends is an answer", async () => {
    const { start } = await openSession({ programs });
    const command = `exec ${node} -e 'require("http").createServer((_, r) => r.writeHead(200).write("x")).listen(process.env.PORT)'`;
    expect((await start(command)).stdout).toContain("(HTTP 200)");
  });
});

test("a session that has none of them says so, and starts nothing", async () => {
  const { start, home } = await openSession({ programs: [] });
  const { exitCode, stderr } = await start("touch started; sleep 100");
  expect(exitCode).toBe(1);
  expect(stderr).toBe(
    "The session has none of curl, python3, node, and wget with timeout, so nothing can ask the app whether it works.\n",
  );
  await expect(readFile(join(home, "started"))).rejects.toThrow("ENOENT");
});

test("the app gets the variables of its command unchanged, whatever their names, and none of the script's", async () => {
  const { start, log } = await openSession();
  const names = ["home", "folder", "url", "status", "command", "group", "now", "known", "started", "once", "path"];
  const variables = Object.fromEntries(names.map((name) => [name, `mine-${name}`]));
  await start(`env; exec ${node} server.js`, {}, variables);
  const seen = (await log()).split("\n").filter((line) => !/^(PATH|HOME|PWD|OLDPWD|SHLVL|_)=/.test(line));
  const expected = names.map((name) => `${name}=mine-${name}`);
  expect(seen.filter((line) => line.includes("="))).toHaveLength(names.length + 1);
  expect(seen).toEqual(expect.arrayContaining([...expected, expect.stringMatching(/^PORT=\d+$/)]));
});

test("settings of the app's environment and of the home directory do not change how it is asked", async () => {
  const { start, home } = await openSession();
  await writeFile(join(home, ".curlrc"), "max-time = 0.001\nproxy = http://127.0.0.1:9\n");
  expect((await start(`exec ${node} server.js`)).exitCode).toBe(0);
  const onlyNode = await openSession({ programs: ["node"] });
  const options = { NODE_OPTIONS: "--require ./missing.js" };
  expect((await onlyNode.start(`unset NODE_OPTIONS; exec ${node} server.js`, {}, options)).exitCode).toBe(0);
});

describe("an app that runs is asked", () => {
  test("and the status of its answer is printed", async () => {
    const { start, ask } = await openSession();
    await start(`${node} server.js`);
    expect(await ask()).toEqual({ exitCode: 0, stdout: "200\n", stderr: "" });
    expect((await ask("/missing")).stdout).toBe("404\n");
  });

  test("and nothing is printed when there is no answer", async () => {
    const { ask } = await openSession();
    expect(await ask()).toEqual({ exitCode: 0, stdout: "\n", stderr: "" });
  });

  test("again when it is busy", async () => {
    const { port, ask } = await openSession();
    let asked = 0;
    const busy = createServer((_, response) => response.writeHead(asked++ < 2 ? 503 : 200).end());
    await new Promise<void>((resolve) => busy.listen(port, "127.0.0.1", resolve));
    closeAfterTest({ close: () => void busy.close() });
    expect((await ask()).stdout).toBe("200\n");
    expect(asked).toBe(3);
  });
});

test("a proxy of the session's environment is not asked", async () => {
  const { start } = await openSession();
  const proxy = { http_proxy: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9", ALL_PROXY: "http://127.0.0.1:9" };
  expect((await start(`${node} server.js`, {}, proxy)).exitCode).toBe(0);
});
