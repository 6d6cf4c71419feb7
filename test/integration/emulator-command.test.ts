import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { startEmulator } from "../../provider/emulator";
import { commandLines, outlives } from "../support/command-lines";
import { finished, listening, useCommandFolder } from "../support/emulator-command";
import { ask, createId } from "../support/emulator-requests";
import { repositoryRoot } from "../support/node-process";

const command = useCommandFolder();

test.each(["SIGTERM", "SIGINT"] as const)("runs until %s and keeps the sessions", async (signal) => {
  const statePath = join(command.folder, "state.json");
  const args = ["emulator", "--port", "0", "--state", statePath, "--api-key", "key-a", "--api-key", "key-b"];
  const first = command.run(...args);
  const url = await listening(first);
  const { body } = await ask(url, "POST", "/mcp/createSession", {
    key: "key-a",
    query: { imageId: "agb-code-space-1" },
  });
  expect((await ask(url, "GET", "/sdk/ListSession", { key: "key-c" })).body.code).toBe("NOT_LOGIN");
  const firstEnd = once(first, "exit");
  first.kill(signal);
  expect(await firstEnd).toEqual([0, null]);

  const again = await listening(command.run(...args));
  const { body: page } = await ask(again, "GET", "/sdk/ListSession", { key: "key-b" });

  expect(page.data).toEqual([{ sessionId: body.data.sessionId, sessionStatus: "RUNNING" }]);
});

test("an emulator that npx runs ends with npx, also when only npx gets the signal", async () => {
  // As in an installed package, but with the sources.
  const bin = join(command.folder, "node_modules", ".bin", "pulumi-agb");
  mkdirSync(dirname(bin), { recursive: true });
  const script = join(repositoryRoot, "provider", "cli", "main.ts");
  const tsx = require.resolve("tsx");
  writeFileSync(bin, `#!/bin/sh\nexec "${process.execPath}" --import "${tsx}" "${script}" "$@"\n`, { mode: 0o755 });
  writeFileSync(join(command.folder, "package.json"), "{}");
  const statePath = join(command.folder, "state.json");
  const npx = spawn("npx", ["--no-install", "pulumi-agb", "emulator", "--state", statePath], {
    cwd: command.folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  command.add(npx);
  const url = await listening(npx);
  await createId(url);
  expect(commandLines()).toContain(`${script} emulator --state ${statePath}`);

  npx.kill("SIGTERM");

  expect(await outlives(`${script} emulator --state ${statePath}`)).toBe(false);
  expect(readdirSync(command.folder)).not.toContain("state.json.lock");
});

test.each(["127.0.0.2", "localhost", "127.0.0.1"])(
  "--host %s is answered at the address that is printed",
  async (host) => {
    const emulator = await startEmulator({ host });
    try {
      expect((await ask(emulator.url, "GET", "/sdk/ListSession")).status).toBe(200);
      expect((await fetch(`${emulator.url}/_emulator/`)).status).toBe(200);
    } finally {
      await emulator.close();
    }
  },
);

test("options reach the emulator", async () => {
  const url = await listening(
    command.run(
      "emulator",
      "--default-idle-timeout-seconds",
      "7200",
      "--maximum-sessions",
      "1",
      "--set-label",
      "merge",
    ),
  );
  const sessionId = await createId(url, { a: "1" });
  await ask(url, "POST", "/sdk/SetLabel", { query: { sessionId, Labels: '{"b":"2"}' } });

  const second = await ask(url, "POST", "/mcp/createSession", { query: { imageId: "agb-code-space-1" } });
  const labels = await ask(url, "GET", "/sdk/GetLabel", { query: { sessionId } });

  expect(second.body.data.errMsg).toContain("quota of 1");
  expect(labels.body.data.labels).toBe('{"a":"1","b":"2"}');
});

test("the log has one line on stderr for each request, without keys and labels", async () => {
  const child = command.run("emulator", "--log", "json", "--api-key", "secret-key");
  const url = await listening(child);
  await ask(url, "GET", "/sdk/ListSession", { key: "secret-key", query: { labels: '{"a":"secret-label"}' } });
  await ask(url, "GET", "/nowhere", { key: "secret-key" });

  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr as NonNullable<ChildProcess["stderr"]> })) {
    lines.push(line);
    if (lines.length === 2) {
      break;
    }
  }
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      operation: "ListSession",
      status: 200,
      requestId: expect.any(String),
    },
    { operation: "unknown", path: "/nowhere", status: 404 },
  ]);
  expect(lines.join()).not.toContain("secret");
});

test("a port that is taken is reported, with exit code 1", async () => {
  const emulator = await startEmulator();
  try {
    const { port } = new URL(emulator.url);

    const { code, stdout, stderr } = await finished(command.run("emulator", "--port", port));

    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(`Port ${port} on 127.0.0.1 is already in use`);
  } finally {
    await emulator.close();
  }
});

test.each([
  [["--port", "seven"], "--port"],
  [["--port", "70000"], "port"],
  [["--set-label", "add"], "replace, merge"],
  [["--latency", "7"], "--latency"],
  [["--host", "0.0.0.0"], "--api-key"],
  [["--log", "xml"], "json, pretty"],
  [["--api-key-file", "/nowhere/keys"], "Name a file with one API key per line"],
])("%j is refused with exit code 1", async (args, named) => {
  const { code, stderr } = await finished(command.run("emulator", ...args));

  expect(code).toBe(1);
  expect(stderr).toContain(named);
});

test("help explains every option with its default", async () => {
  const { code, stdout } = await finished(command.run("emulator", "--help"));

  expect(code).toBe(0);
  const options = stdout
    .slice(stdout.indexOf("Options:"))
    .split(/\n(?= {2}-)/)
    .slice(1);
  expect(options.length).toBeGreaterThan(8);
  for (const option of options.filter((text) => !text.includes("--help"))) {
    expect(option).toMatch(/default/);
  }
});

test("the version is the package's", async () => {
  const { stdout } = await finished(command.run("--version"));

  expect(stdout.trim()).toBe(JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")).version);
});
