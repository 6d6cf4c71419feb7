import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { commandLines, outlives } from "../support/command-lines";
import { builtCommand, listening, useCommandFolder } from "../support/emulator-command";
import { ask, createContext, createId, runShell, upload } from "../support/emulator-requests";
import { repositoryRoot } from "../support/node-process";

const command = useCommandFolder();

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
    writeFileSync(join(command.folder, "keys"), file);
  }
  const child = command.runIn(
    environment,
    "emulator",
    "--allow-exec",
    ...args,
    ...(file ? ["--api-key-file", join(command.folder, "keys")] : []),
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

test("tools are allowed on demand, and what sessions run ends with an emulator that is killed", async () => {
  const child = command.run("emulator", "--allow-exec");
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

test("where namespaces are forbidden, the emulator says at its start what that means", async () => {
  // The limit applies to the user namespace in which it is set. If that one cannot be created, no others can either.
  const forbid = "echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --bounding-set=-all -- ";
  const start = `exec "${process.execPath}" "${join(repositoryRoot, "dist", "cli", "main.js")}" emulator --allow-exec`;
  const enter = (what: string) => `unshare --user --map-root-user sh -c '${forbid} ${what}'`;
  const script = `if ${enter("true")}; then exec ${enter('sh -c "$0"')} "$1"; else exec sh -c "$1"; fi`;
  const child = spawn("/bin/sh", ["-c", script, "sh", start], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: command.folder },
  });
  command.add(child);
  await listening(child);

  const [line] = (await once(
    createInterface({ input: child.stderr as NonNullable<ChildProcess["stderr"]> }),
    "line",
  )) as [string];

  expect(line).toMatch(/^pulumi-agb emulator: Sessions are not isolated from this computer, because /);
  expect(line).toMatch(/write wherever this user can.*outlive its session.*Run only code that you trust.*\[AGB807\]$/);
});

test("without a state file nothing stays behind", async () => {
  const child = command.run("emulator", "--allow-exec");
  const url = await listening(child);
  const contextId = await createContext(url, "data");
  await upload(url, contextId, "/data/a", "text");
  const persistenceDataList = [{ contextId, path: "/data", policy: "{}" }];
  expect((await runShell(url, await createId(url, {}, { persistenceDataList }), "true")).exit_code).toBe(0);
  const made = () => readdirSync(command.folder).filter((name) => name.startsWith("agb-emulator-"));
  expect(made()).toHaveLength(2);
  const end = once(child, "exit");

  child.kill("SIGTERM");
  await end;

  expect(made()).toEqual([]);
});

/** What a link leads to; `undefined` when it is gone. */
function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

describe("what the program that starts the emulator has open", () => {
  /** Starts the command in a bash that runs other commands first, like a user's script. */
  function runAfter(words: string, ...args: string[]): ChildProcess {
    const start = [process.execPath, builtCommand, "emulator", ...args];
    const child = spawn("bash", ["-c", `${words}; exec "$0" "$@"`, ...start], {
      cwd: repositoryRoot,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: command.folder },
    });
    return command.add(child);
  }

  test("does not reach the sessions, nor anything else that the emulator starts", async () => {
    const file = join(command.folder, "outside.txt");
    writeFileSync(file, "as it was");
    const child = runAfter(`exec 200>>'${file}' 201<'${command.folder}'`, "--allow-exec");
    const url = await listening(child);
    const sessionId = await createId(url);

    const { stdout } = await runShell(
      url,
      sessionId,
      "(echo by a session >> /proc/self/fd/200; echo > /proc/self/fd/201/made) 2>/dev/null; ls /proc/self/fd",
    );

    // Without /proc, open files cannot be listed.
    if (existsSync("/proc/self/fd")) {
      const ofSession = stdout.trim().split("\n");
      expect(ofSession).toEqual(expect.arrayContaining(["0", "1", "2"]));
      expect(ofSession.filter((name) => Number(name) >= 200)).toEqual([]);
      // The emulator may use the same numbers for files of its own.
      const ofEmulator = readdirSync(`/proc/${child.pid}/fd`).map((name) => targetOf(`/proc/${child.pid}/fd/${name}`));
      expect(ofEmulator.length).toBeGreaterThan(3);
      expect(ofEmulator.filter((target) => target === file || target === command.folder)).toEqual([]);
    }
    expect(readFileSync(file, "utf8")).toBe("as it was");
    expect(existsSync(join(command.folder, "made"))).toBe(false);
  });

  test("can still hold its keys", async () => {
    const child = runAfter("exec 200< <(echo piped-key)", "--api-key-file", "/dev/fd/200");
    const url = await listening(child);

    expect((await ask(url, "GET", "/sdk/ListSession", { key: "piped-key" })).status).toBe(200);
    expect((await ask(url, "GET", "/sdk/ListSession", { key: "another" })).body.code).toBe("NOT_LOGIN");
  });
});
