import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testKey } from "../support/agb-emulator";
import { commandLines, outlives } from "../support/command-lines";
import { builtCommand } from "../support/emulator-command";
import { runShell } from "../support/emulator-requests";
import { testWithTerminal } from "../support/pseudo-terminal";
import { uniqueSeconds } from "../support/sandbox-emulator";
import { exportOf, openEmulator, ownLabels } from "../support/sweep-command";
import { openTerminal } from "../support/terminal-command";

jest.setTimeout(180_000);

/** An emulator that runs commands, a session there, and the command. */
async function open(options = {}) {
  const { emulator, make } = await openEmulator({ allowExec: true, apiKeys: [testKey, "test-key"], ...options });
  const id = await make(ownLabels(5));
  const terminal = await openTerminal(emulator.url, { state: exportOf([id]), config: {} });
  const exec = (...words: string[]) => terminal.run("sessions", "exec", id, "--", ...words);
  const left = async () => {
    const { stdout } = await runShell(
      emulator.url,
      id,
      "ls -A /tmp/.pulumi-agb 2>/dev/null; ls -A tmp/.pulumi-agb 2>/dev/null; true",
    );
    return stdout.trim();
  };
  return { ...terminal, emulator, make, id, exec, left };
}

test("output goes to its own stream and the exit code is the command's", async () => {
  const { exec } = await open();
  expect(await exec("sh", "-c", "echo out; echo err >&2; exit 7")).toEqual({
    exitCode: 7,
    stdout: "out\n",
    stderr: "err\n",
  });
  expect(await exec("true")).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("each argument stays one, whatever it holds", async () => {
  const { exec } = await open();
  const args = ["", "a b", "it's", '"$HOME"', "`id`", "*", "\\n", "a\nb", "ü日本", "--", "-x", "--help", "$(false)"];
  const { stdout, exitCode } = await exec("printf", "<%s>\\n", ...args);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(args.map((arg) => `<${arg}>\n`).join(""));
});

test.each([
  ["a program that does not exist", ["no-such-program"], 127],
  ["a file that cannot be executed", ["/etc/passwd"], 126],
  ["a signal", ["sh", "-c", "kill -9 $$"], 137],
])("the exit code of %s is that of a shell", async (_name, words, exitCode) => {
  const { exec } = await open();
  expect((await exec(...words)).exitCode).toBe(exitCode);
});

test("output is exact to the byte, also a lot of it", async () => {
  const { id, sh, folder } = await open();
  // Every byte, and characters that polls will cut.
  const script = `i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %03o $i)"; i=$((i+1)); done; yes "日本 0123456789" | head -c 300000`;
  await writeFile(join(folder, "script"), script);
  const { stdout, exitCode } = await sh(
    `pulumi-agb sessions exec ${id} -- sh -c "$(cat script)" > remote; sh script > local; cmp local remote && wc -c < remote`,
  );
  expect({ exitCode, stdout: stdout.trim() }).toEqual({ exitCode: 0, stdout: "300256" });
});

test("output appears while the command runs", async () => {
  const { id, start, emulator } = await open();
  const running = start(
    "sessions",
    "exec",
    id,
    "--",
    "sh",
    "-c",
    "echo first; until [ -e go ]; do sleep 0.1; done; echo last",
  );
  while (!running.printed().includes("first\n")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await runShell(emulator.url, id, "touch go");
  expect(await running.result).toEqual({ exitCode: 0, stdout: "first\nlast\n", stderr: "" });
});

test("directory and variables are those that were asked for, and no list of processes shows a value", async () => {
  const { run, runWith, id } = await open();
  const secret = `s3cret-${uniqueSeconds()}`;
  const script = `pwd; printf '%s\\n' "$A" "$TOKEN"; cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' '`;
  const parameters = ["--cwd", "/tmp", "--env", "A=it's=1", "--env", "TOKEN", "--", "sh", "-c", script];
  const { stdout, exitCode } = await runWith({ TOKEN: secret }, "sessions", "exec", id, ...parameters);
  const [directory, a, token, ...processes] = stdout.split("\n");
  expect({ exitCode, a, token }).toEqual({ exitCode: 0, a: "it's=1", token: secret });
  expect(directory).toMatch(/\/tmp$/);
  expect(processes.join("\n")).not.toContain(secret);

  const missing = await run("sessions", "exec", id, "--env", "NO_SUCH_VARIABLE", "--", "true");
  expect(missing.exitCode).toBe(125);
  expect(missing.stderr).toContain('your environment has no variable "NO_SUCH_VARIABLE".');
});

test("standard input is sent only with -i, byte for byte", async () => {
  const { id, sh } = await open();
  const exec = `pulumi-agb sessions exec ${id}`;
  expect((await sh(`echo hello | ${exec} -i -- cat`)).stdout).toBe("hello\n");
  expect((await sh(`printf '\\000\\377x' | ${exec} --stdin -- cat | od -An -tx1`)).stdout.trim()).toBe("00 ff 78");
  expect((await sh(`echo hello | ${exec} -- cat`)).stdout).toBe("");
  const loop = `printf 'a\\nb\\n' | while read -r word; do ${exec} -- echo "$word"; done`;
  expect((await sh(loop)).stdout).toBe("a\nb\n");
  const long = await sh(`head -c 10000001 /dev/zero | ${exec} -i -- wc -c`);
  expect(long.exitCode).toBe(125);
  expect(long.stderr).toContain("[AGB642]");
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends the command with all that it started", async (signal, exitCode) => {
  const { id, start, left } = await open();
  const seconds = uniqueSeconds();
  const script = `trap 'echo cleaned; exit 3' TERM; sleep ${seconds} & echo started; wait`;
  const running = start("sessions", "exec", id, "--", "sh", "-c", script);
  while (!running.printed().includes("started\n")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(commandLines()).toContain(`sleep ${seconds}`);
  running.send(signal);
  expect(await running.result).toEqual({ exitCode, stdout: "started\ncleaned\n", stderr: "" });
  expect(await outlives(`sleep ${seconds}`)).toBe(false);
  expect(await left()).toBe("");
});

testWithTerminal("Ctrl+C on a terminal ends the command", async () => {
  const { id, inTerminal, left } = await open();
  const seconds = uniqueSeconds();
  const { exitCode, shown } = await inTerminal(`sessions exec ${id} -- sh -c 'echo started; sleep ${seconds}'`, {
    started: "\u0003",
  });
  expect({ exitCode, shown }).toEqual({ exitCode: 130, shown: expect.stringContaining("started\n") });
  expect(await outlives(`sleep ${seconds}`)).toBe(false);
  expect(await left()).toBe("");
});

test("a reader that stops reading ends the command", async () => {
  const { id, sh, left } = await open();
  const seconds = uniqueSeconds();
  const script = `pulumi-agb sessions exec ${id} -- sh -c 'sleep ${seconds} & yes' 2>errors | head -1; cat errors >&2`;
  expect(await sh(script)).toEqual({ exitCode: 0, stdout: "y\n", stderr: "" });
  expect(await outlives(`sleep ${seconds}`)).toBe(false);
  expect(await left()).toBe("");
});

test("Ctrl+C ends a command that writes faster than its output can be read", async () => {
  const { id, start } = await open();
  const running = start("sessions", "exec", id, "--", "yes");
  while (!running.printed().includes("y\n")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  running.send("SIGINT");
  expect((await running.result).exitCode).toBe(130);
});

test("a time limit ends the command with all that it started", async () => {
  const { run, id } = await open();
  const seconds = uniqueSeconds();
  const { exitCode, stdout, stderr } = await run(
    ...["sessions", "exec", id, "--timeout", "1s", "--", "sh", "-c", `echo started; sleep ${seconds}`],
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 124, stdout: "started\n" });
  expect(stderr).toContain("[AGB641]");
  expect(await outlives(`sleep ${seconds}`)).toBe(false);
});

test("an outage while the command runs loses and repeats no output, and the command runs once", async () => {
  const { id, start, emulator } = await open();
  const script = "echo run >> runs; for n in 1 2 3; do echo $n; sleep 1; done; wc -l < runs";
  const running = start("sessions", "exec", id, "--", "sh", "-c", script);
  while (!running.printed().includes("1\n")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // More than the retries of one call.
  emulator.addFault({ operation: "mcp", calls: [1, 2, 3, 4, 5, 6, 7], answer: "reset" });
  const { exitCode, stdout } = await running.result;
  expect({ exitCode, lines: stdout.trim().split(/\s+/) }).toEqual({ exitCode: 0, lines: ["1", "2", "3", "1"] });
});

test("lost replies to every kind of call run the command once", async () => {
  const { exec, emulator } = await open();
  emulator.addFault({ operation: "mcp", calls: [1, 3, 5, 7], when: "after", answer: "reset" });
  const { exitCode, stdout } = await exec("sh", "-c", "echo run >> runs; wc -l < runs");
  expect({ exitCode, stdout: stdout.trim() }).toEqual({ exitCode: 0, stdout: "1" });
});

test("a session that ends while the command runs is a clear failure", async () => {
  const { id, start, emulator } = await open();
  const running = start("sessions", "exec", id, "--", "sh", "-c", "echo started; sleep 60");
  while (!running.printed().includes("started\n")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await emulator.release(id);
  const { exitCode, stdout, stderr } = await running.result;
  expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: "started\n" });
  expect(stderr).toMatch(/^pulumi-agb sessions exec: Session \S+ ended while the command ran.* \[AGB637\]$/m);
});

test("the session of a resource is found, and a stack's name is enough for no other stack's session", async () => {
  const { run } = await open();
  const inResource = (...more: string[]) => run("sessions", "exec", "--stack", "dev", "--resource", ...more);
  expect(await inResource("web", "--", "echo", "hello")).toEqual({ exitCode: 0, stdout: "hello\n", stderr: "" });
  const none = await inResource("api", "--", "echo", "hello");
  expect(none.exitCode).toBe(125);
  expect(none.stderr).toContain("[AGB632]");
});

describe("what keeps a command from running has exit code 125", () => {
  test("no such session, a wrong key, a directory that does not exist", async () => {
    const { run, runWith, id } = await open();
    const gone = await run("sessions", "exec", "session-unknown", "--", "true");
    expect(gone).toEqual({ exitCode: 125, stdout: "", stderr: expect.stringContaining("[AGB631]") });
    const wrongKey = await runWith({ AGB_API_KEY: "wrong" }, "sessions", "exec", id, "--", "true");
    expect(wrongKey).toEqual({ exitCode: 125, stdout: "", stderr: expect.stringContaining("[AGB202]") });
    const noFolder = await run("sessions", "exec", id, "--cwd", "/no/such", "--", "true");
    expect(noFolder).toEqual({ exitCode: 125, stdout: "", stderr: expect.stringContaining("[AGB640]") });
  });

  test("a session without tools", async () => {
    const { run, id } = await open({ allowExec: false });
    const { exitCode, stderr } = await run("sessions", "exec", id, "--", "true");
    expect(exitCode).toBe(125);
    expect(stderr).toContain("--allow-exec");
    expect(stderr).toMatch(/\[AGB638\]$/m);
  });

  test.each([
    [["session-1"], "no command is given"],
    [["session-1", "--"], "no command is given"],
    [["session-1", "ls", "--", "ls"], "give one session"],
    [["--stack", "dev", "--cwd", "--", "session-1", "--", "ls"], "Give an absolute path"],
    [["--stack", "dev", "--resource", "--", "session-1", "--", "ls"], "give one session"],
    [["--", "ls"], "no session is named"],
    [["session-1", "--cwd", "tmp", "--", "ls"], "Give an absolute path"],
    [["session-1", "--env", "1=2", "--", "ls"], "Give it as NAME=VALUE"],
    [["session-1", "--timeout", "0s", "--", "ls"], "Give a time from 1s to 24h."],
    [["session-1", "--unknown", "--", "ls"], "unknown option"],
  ])("%j is refused before a call", async (parameters, message) => {
    const { run } = await openTerminal("http://127.0.0.1:9");
    const { exitCode, stdout, stderr } = await run("sessions", "exec", ...parameters);
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/\[AGB612\]$/m);
  });
});

test.each([
  ["without input", "true | pulumi-agb"],
  ["with binary input", "printf '\\377' | pulumi-agb"],
])("after a signal the command has time to clean up: %s", async (_name, program) => {
  const { id, sh } = await open();
  const command = "trap 'sleep 1; echo cleaned; exit' TERM; echo started; kill -TERM 0; sleep 60 & wait";
  // The command sends the signal to its whole group, as a stop does.
  const { stdout } = await sh(`${program} sessions exec ${id} -i -- sh -c "${command}"`);
  expect(stdout).toBe("started\ncleaned\n");
});

test("a Ctrl+C that arrives twice, because npm passes it on, is one request", async () => {
  const { id, start, left } = await open();
  const script = "trap 'sleep 1; echo cleaned; exit' TERM; sleep 60 & echo started; wait";
  const running = start("sessions", "exec", id, "--", "sh", "-c", script);
  while (!running.printed().includes("started\n")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  running.send("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 20));
  running.send("SIGINT");
  expect(await running.result).toEqual({ exitCode: 130, stdout: "started\ncleaned\n", stderr: "" });
  expect(await left()).toBe("");
});

test("a second signal gives up immediately", async () => {
  const { id, emulator } = await open();
  const child = spawn(
    process.execPath,
    [builtCommand, "sessions", "exec", id, "--", "sh", "-c", "echo started; sleep 60"],
    {
      env: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  await once(child.stdout, "data");
  emulator.addFault({ operation: "mcp", delayMs: 20_000 });
  child.kill("SIGINT");
  // Signals that arrive together are one request.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  expect(code).toBe(130);
});
