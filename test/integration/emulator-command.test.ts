import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { startEmulator } from "../../provider/emulator";
import { commandLines, outlives } from "../support/command-lines";
import { ask, createContext, createId, download, listAll, runShell, upload } from "../support/emulator-requests";

const root = join(__dirname, "..", "..");
let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

function run(...args: string[]): ChildProcess {
  return runIn({}, ...args);
}

function runIn(environment: Readonly<Record<string, string>>, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", join(root, "provider", "cli", "main.ts"), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: folder, ...environment },
  });
  children.push(child);
  return child;
}

/** Waits for the first line on stdout and returns the address in it. */
async function listening(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> })) {
    expect(line).toMatch(/^AGB emulator listening on http:\/\/127\.0\.0\.1:\d+$/);
    return line.slice(line.lastIndexOf(" ") + 1);
  }
  throw new Error("the emulator ended before it listened");
}

async function finished(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

test.each(["SIGTERM", "SIGINT"] as const)("runs until %s and keeps the sessions", async (signal) => {
  const statePath = join(folder, "state.json");
  const args = ["emulator", "--port", "0", "--state", statePath, "--api-key", "key-a", "--api-key", "key-b"];
  const first = run(...args);
  const url = await listening(first);
  const { body } = await ask(url, "POST", "/mcp/createSession", {
    key: "key-a",
    query: { imageId: "agb-code-space-1" },
  });
  expect((await ask(url, "GET", "/sdk/ListSession", { key: "key-c" })).body.code).toBe("NOT_LOGIN");
  const firstEnd = once(first, "exit");
  first.kill(signal);
  expect(await firstEnd).toEqual([0, null]);

  const again = await listening(run(...args));
  const { body: page } = await ask(again, "GET", "/sdk/ListSession", { key: "key-b" });

  expect(page.data).toEqual([{ sessionId: body.data.sessionId, sessionStatus: "RUNNING" }]);
});

test("what was acknowledged survives being killed under load, and the next one takes over the lock", async () => {
  const statePath = join(folder, "state.json");
  const child = run("emulator", "--state", statePath);
  const url = await listening(child);
  const acknowledged: string[] = [];
  const load = Array.from({ length: 8 }, async () => {
    for (;;) {
      acknowledged.push(await createId(url));
    }
  });
  while (acknowledged.length < 200) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const end = once(child, "exit");
  child.kill("SIGKILL");
  await Promise.allSettled([end, ...load]);

  const next = await startEmulator({ statePath });
  try {
    expect(await listAll(next.url, { maxResults: "100" })).toEqual(expect.arrayContaining(acknowledged));
  } finally {
    await next.close();
  }
});

test("files that were acknowledged survive being killed under load, and half a file does not", async () => {
  const statePath = join(folder, "state.json");
  const child = run("emulator", "--state", statePath);
  const url = await listening(child);
  const contextId = await createContext(url, "data");
  const acknowledged = new Map<string, string>();
  const load = Array.from({ length: 8 }, async (_, client) => {
    for (let round = 0; ; round += 1) {
      // Each client writes five files in turn, so that most uploads replace an older content.
      const path = `/${client}-${round % 5}`;
      const content = `${round} `.repeat(2000);
      if ((await upload(url, contextId, path, content)) === 200) {
        acknowledged.set(path, content);
      }
    }
  });
  while (acknowledged.size < 40) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const end = once(child, "exit");
  child.kill("SIGKILL");
  await Promise.allSettled([end, ...load]);

  const next = await startEmulator({ statePath });
  try {
    for (const [path, content] of acknowledged) {
      const found = String(await download(next.url, contextId, path));
      const round = Number(found.split(" ", 1)[0]);
      expect(found).toBe(`${round} `.repeat(2000));
      // A later upload may have been kept though its reply was lost.
      expect(round).toBeGreaterThanOrEqual(Number(content.split(" ", 1)[0]));
    }
  } finally {
    await next.close();
  }
});

test("tools are allowed on demand, and what sessions run ends with an emulator that is killed", async () => {
  const child = run("emulator", "--allow-exec");
  const url = await listening(child);
  const sessionId = await createId(url);
  const seconds = String(100_000 + Math.floor(Math.random() * 900_000));
  await runShell(url, sessionId, `sleep ${seconds} & setsid sleep ${seconds} &`);
  const waiting = runShell(url, sessionId, `sleep ${seconds}`).catch(() => undefined);
  expect(commandLines()).toContain(`sleep ${seconds}`);
  const end = once(child, "exit");

  child.kill("SIGKILL");
  await end;

  expect(await outlives(`sleep ${seconds}`)).toBe(false);
  await waiting;
});

test.each([
  ["an argument", (key: string) => ({ args: ["--api-key", key] })],
  ["the environment", (key: string) => ({ environment: { AGB_EMULATOR_API_KEY: key } })],
  ["a file", (key: string) => ({ file: `${key}\n\n` })],
])("a key in %s is the only one accepted, and sessions do not find it in the list of processes", async (_, give) => {
  const key = `secret-${Math.random()}`;
  const {
    args = [],
    environment = {},
    file,
  } = give(key) as {
    args?: string[];
    environment?: Record<string, string>;
    file?: string;
  };
  if (file !== undefined) {
    writeFileSync(join(folder, "keys"), file);
  }
  const child = runIn(
    environment,
    "emulator",
    "--allow-exec",
    ...args,
    ...(file ? ["--api-key-file", join(folder, "keys")] : []),
  );
  const url = await listening(child);
  expect((await ask(url, "GET", "/sdk/ListSession")).body.code).toBe("NOT_LOGIN");
  const created = await ask(url, "POST", "/mcp/createSession", { key, query: { imageId: "agb-code-space-1" } });
  const { sessionId } = created.body.data;

  const answer = await ask(url, "POST", "/mcp", {
    key,
    body: { sessionId, name: "shell", args: { command: "cat /proc/[0-9]*/cmdline", timeout_ms: 10_000 } },
  });

  expect(answer.body.data.content[0].text).toContain("cat");
  expect(answer.body.data.content[0].text).not.toContain(key);
  expect(commandLines()).not.toContain(key);
});

test("an emulator that npx runs ends with npx, also when only npx is told to end", async () => {
  // As an installed package has it, but with the sources.
  const bin = join(folder, "node_modules", ".bin", "pulumi-agb");
  mkdirSync(dirname(bin), { recursive: true });
  const script = join(root, "provider", "cli", "main.ts");
  const tsx = require.resolve("tsx");
  writeFileSync(bin, `#!/bin/sh\nexec "${process.execPath}" --import "${tsx}" "${script}" "$@"\n`, { mode: 0o755 });
  writeFileSync(join(folder, "package.json"), "{}");
  const statePath = join(folder, "state.json");
  const npx = spawn("npx", ["--no-install", "pulumi-agb", "emulator", "--state", statePath], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(npx);
  const url = await listening(npx);
  await createId(url);
  expect(commandLines()).toContain(`${script} emulator --state ${statePath}`);

  npx.kill("SIGTERM");

  expect(await outlives(`${script} emulator --state ${statePath}`)).toBe(false);
  expect(readdirSync(folder)).not.toContain("state.json.lock");
});

test("where namespaces are forbidden, the emulator says at its start what that means", async () => {
  // The limit holds for the user namespace that it is set in. Without the first one there can be no others either.
  const forbid = "echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --bounding-set=-all -- ";
  const command = `exec "${process.execPath}" "${join(root, "dist", "cli", "main.js")}" emulator --allow-exec`;
  const enter = (what: string) => `unshare --user --map-root-user sh -c '${forbid} ${what}'`;
  const script = `if ${enter("true")}; then exec ${enter('sh -c "$0"')} "$1"; else exec sh -c "$1"; fi`;
  const child = spawn("/bin/sh", ["-c", script, "sh", command], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: folder },
  });
  children.push(child);
  await listening(child);

  const [line] = (await once(
    createInterface({ input: child.stderr as NonNullable<ChildProcess["stderr"]> }),
    "line",
  )) as [string];

  expect(line).toMatch(/^pulumi-agb emulator: sessions are not kept apart from this computer, because /);
  expect(line).toMatch(/write wherever this user can.*outlive its session.*Run only code that you trust/);
});

test("a full disk at the start is told, and leaves no lock that refuses the next start", async () => {
  const statePath = join(folder, "state.json");
  const start = `ulimit -f 0; exec "${process.execPath}" "${join(root, "dist", "cli", "main.js")}" emulator --state "${statePath}"`;
  const child = spawn("/bin/sh", ["-c", start], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);

  const { code, stderr } = await finished(child);

  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^pulumi-agb emulator: State file ${statePath} cannot be used: EFBIG`));
  expect(readdirSync(folder)).toEqual([]);
  await (await startEmulator({ statePath })).close();
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

test("without a state file nothing stays behind", async () => {
  const child = run("emulator", "--allow-exec");
  const url = await listening(child);
  const contextId = await createContext(url, "data");
  await upload(url, contextId, "/data/a", "text");
  const persistenceDataList = [{ contextId, path: "/data", policy: "{}" }];
  expect((await runShell(url, await createId(url, {}, { persistenceDataList }), "true")).exit_code).toBe(0);
  const made = () => readdirSync(folder).filter((name) => name.startsWith("agb-emulator-"));
  expect(made()).toHaveLength(2);
  const end = once(child, "exit");

  child.kill("SIGTERM");
  await end;

  expect(made()).toEqual([]);
});

test("options reach the emulator", async () => {
  const url = await listening(
    run("emulator", "--default-idle-timeout-seconds", "7200", "--maximum-sessions", "1", "--set-label", "merge"),
  );
  const sessionId = await createId(url, { a: "1" });
  await ask(url, "POST", "/sdk/SetLabel", { query: { sessionId, Labels: '{"b":"2"}' } });

  const second = await ask(url, "POST", "/mcp/createSession", { query: { imageId: "agb-code-space-1" } });
  const labels = await ask(url, "GET", "/sdk/GetLabel", { query: { sessionId } });

  expect(second.body.data.errMsg).toContain("quota of 1");
  expect(labels.body.data.labels).toBe('{"a":"1","b":"2"}');
});

test("the log tells each request in one line on stderr, and no key or label", async () => {
  const child = run("emulator", "--log", "json", "--api-key", "secret-key");
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

test("a port that is taken is told, with exit code 1", async () => {
  const emulator = await startEmulator();
  try {
    const { port } = new URL(emulator.url);

    const { code, stdout, stderr } = await finished(run("emulator", "--port", port));

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
  [["--api-key-file", "/nowhere/keys"], "Name a file with one API key a line"],
])("%j is refused with exit code 1", async (args, named) => {
  const { code, stderr } = await finished(run("emulator", ...args));

  expect(code).toBe(1);
  expect(stderr).toContain(named);
});

test("help explains every option with its default", async () => {
  const { code, stdout } = await finished(run("emulator", "--help"));

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
  const { stdout } = await finished(run("--version"));

  expect(stdout.trim()).toBe(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version);
});

describe("what the program that starts the emulator has open", () => {
  /** Starts the command in a bash that runs some words first, as a user's own script may do. */
  function runAfter(words: string, ...args: string[]): ChildProcess {
    const command = [
      process.execPath,
      "--import",
      "tsx",
      join(root, "provider", "cli", "main.ts"),
      "emulator",
      ...args,
    ];
    const child = spawn("bash", ["-c", `${words}; exec "$0" "$@"`, ...command], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: folder },
    });
    children.push(child);
    return child;
  }

  test("does not reach the sessions, nor anything else that the emulator starts", async () => {
    const file = join(folder, "outside.txt");
    writeFileSync(file, "as it was");
    const child = runAfter(`exec 200>>'${file}' 201<'${folder}'`, "--allow-exec");
    const url = await listening(child);
    const sessionId = await createId(url);

    const { stdout } = await runShell(
      url,
      sessionId,
      "(echo by a session >> /proc/self/fd/200; echo > /proc/self/fd/201/made) 2>/dev/null; ls /proc/self/fd",
    );

    // Where there is no /proc, nothing tells what is open.
    const isTold = existsSync("/proc/self/fd");
    const open = isTold ? [...stdout.trim().split("\n"), ...readdirSync(`/proc/${child.pid}/fd`)] : ["0", "1", "2"];
    expect(open).toEqual(expect.arrayContaining(["0", "1", "2"]));
    expect(open.filter((name) => Number(name) >= 200)).toEqual([]);
    expect(readFileSync(file, "utf8")).toBe("as it was");
    expect(existsSync(join(folder, "made"))).toBe(false);
  });

  test("can still hold its keys", async () => {
    const child = runAfter("exec 200< <(echo piped-key)", "--api-key-file", "/dev/fd/200");
    const url = await listening(child);

    expect((await ask(url, "GET", "/sdk/ListSession", { key: "piped-key" })).status).toBe(200);
    expect((await ask(url, "GET", "/sdk/ListSession", { key: "another" })).body.code).toBe("NOT_LOGIN");
  });
});
