import { createSession } from "../../provider/api/sessions";
import {
  type CommandSpec,
  type FollowOptions,
  forgetRuns,
  newRunIdentity,
  type OutputName,
  prepareRun,
  stopCommand,
} from "../../provider/lifecycle/command-run";
import { systemClock } from "../../provider/lifecycle/wait";
import { openClient } from "../support/agb-client";
import { commandLines, outlives } from "../support/command-lines";
import { runShell } from "../support/emulator-requests";
import { runCommand } from "../support/run-command";
import { uniqueSeconds, useSandboxEmulator } from "../support/sandbox-emulator";

const emulated = useSandboxEmulator();

async function openSession() {
  await emulated.start();
  const client = openClient(emulated.url);
  const { sessionId } = await createSession(client, { imageId: "agb-code-space-1", labels: {} });
  return { client, sessionId };
}

async function run(command: string, spec: Partial<CommandSpec> = {}, options: Partial<FollowOptions> = {}) {
  const { client, sessionId } = await openSession();
  const all = { command, timeoutSeconds: 60, ...spec };
  const result = await runCommand(client, sessionId, newRunIdentity(), all, { clock: systemClock, ...options });
  return { client, sessionId, result };
}

test("returns what a command wrote and its exit code", async () => {
  const { result } = await run("echo out; echo err >&2; exit 3");

  expect(result).toEqual({
    reason: "exited",
    exitCode: 3,
    token: expect.stringMatching(/^[0-9a-f]{32}$/),
    stdout: { text: "out\n", sizeBytes: 4, isCut: false },
    stderr: { text: "err\n", sizeBytes: 4, isCut: false },
  });
});

test("a command without output has none", async () => {
  const { result } = await run("true");

  expect(result).toMatchObject({ exitCode: 0, stdout: { text: "" }, stderr: { text: "" } });
});

test("a command gets its environment, its standard input and its directory", async () => {
  const value = 'it\'s a\n"day" $HOME `x` \\';
  const { result } = await run('/bin/cat; echo "$VALUE"; pwd; umask; echo "$0 $# $PATH $OLDPWD"', {
    environment: { VALUE: value, PATH: "/nowhere" },
    stdin: "from stdin ü\n",
    workingDirectory: "/tmp",
  });

  expect(result.stderr.text).toBe("");
  expect(result.stdout.text).toBe(`from stdin ü\n${value}\n/tmp\n0022\nsh 0 /nowhere \n`);
});

test("a command without standard input reads none", async () => {
  expect((await run("cat; echo done")).result.stdout.text).toBe("done\n");
});

test("a missing working directory is reported", async () => {
  const { result } = await run("true", { workingDirectory: "/no/such" });

  expect(result).toMatchObject({ reason: "no directory", exitCode: undefined });
});

test("the time limit ends a command with its children, also those that ignore the signal", async () => {
  const seconds = uniqueSeconds();
  const { result } = await run(`trap '' TERM; sleep ${seconds} & echo begun; sleep ${seconds}`, { timeoutSeconds: 1 });

  expect(result).toMatchObject({ reason: "timed out", stdout: { text: "begun\n" } });
  expect(commandLines()).not.toContain(`sleep ${seconds}`);
}, 60_000);

test("no process of a run outlives a command that ends immediately", async () => {
  const { client, sessionId } = await openSession();
  const seconds = uniqueSeconds();
  const runs = Array.from({ length: 10 }, () =>
    runCommand(
      client,
      sessionId,
      newRunIdentity(),
      { command: "true", timeoutSeconds: Number(seconds) },
      { clock: systemClock },
    ),
  );
  for (const { exitCode } of await Promise.all(runs)) {
    expect(exitCode).toBe(0);
  }
  expect(await outlives(seconds)).toBe(false);
});

test("every byte is read unless output may be left out", async () => {
  const chunks: Buffer[] = [];
  await run("seq 1 100000", {}, { onOutput: (_, bytes) => chunks.push(bytes), keptBytes: 1_000 });

  const numbers = Array.from({ length: 100_000 }, (_, index) => `${index + 1}\n`);
  expect(Buffer.concat(chunks).toString() === numbers.join("")).toBe(true);
});

test("keeps the end of a long output", async () => {
  const seen = { stdout: 0, stderr: 0 };
  const skipped = { stdout: 0, stderr: 0 };
  const count = (counts: Record<OutputName, number>) => (name: OutputName, bytes: number | Buffer) => {
    counts[name] += typeof bytes === "number" ? bytes : bytes.length;
  };
  const { result } = await run("seq 1 800000", {}, { onOutput: count(seen), onSkip: count(skipped) });

  expect(result.stdout).toMatchObject({ sizeBytes: 5_488_895, isCut: true });
  expect(result.stdout.text).toHaveLength(1024 * 1024);
  expect(result.stdout.text.endsWith("\n799999\n800000\n")).toBe(true);
  expect(seen.stdout + skipped.stdout).toBe(5_488_895);
});

test("two that start the same run at the same time get the result of one", async () => {
  const { client, sessionId } = await openSession();
  const identity = newRunIdentity();
  const spec = { command: "echo run >> runs; sleep 0.2; cat runs", timeoutSeconds: 60 };
  const start = () => runCommand(client, sessionId, identity, spec, { clock: systemClock });
  const results = await Promise.all([start(), start(), start(), start()]);
  expect(results.map(({ stdout }) => stdout.text)).toEqual(["run\n", "run\n", "run\n", "run\n"]);
  expect(new Set(results.map(({ token }) => token)).size).toBe(1);
});

test("a command can be stopped with its children, also one that ignores the signal", async () => {
  const { client, sessionId } = await openSession();
  const identity = newRunIdentity();
  const seconds = uniqueSeconds();
  const spec = { command: `trap '' TERM; sleep ${seconds} & echo begun; sleep ${seconds}`, timeoutSeconds: 600 };
  let stopping: Promise<void> | undefined;
  const onOutput = () => {
    stopping ??= stopCommand(client, sessionId, identity);
  };
  const result = await runCommand(client, sessionId, identity, spec, { clock: systemClock, onOutput });
  await stopping;
  expect(result).toMatchObject({ reason: "exited", exitCode: 137 });
  expect(await outlives(`sleep ${seconds}`)).toBe(false);
});

test("a run that was stopped before it began never begins", async () => {
  const { client, sessionId } = await openSession();
  const identity = newRunIdentity();
  await prepareRun(client, sessionId, identity);
  await stopCommand(client, sessionId, identity);
  const spec = { command: "echo run", timeoutSeconds: 60 };
  const result = await runCommand(client, sessionId, identity, spec, { clock: systemClock });
  expect(result).toMatchObject({ reason: "killed", stdout: { text: "" } });
});

test("forgotten runs leave nothing in the session", async () => {
  const { client, sessionId } = await openSession();
  const identity = newRunIdentity();
  const seconds = uniqueSeconds();
  const spec = { command: `echo begun; sleep ${seconds}`, timeoutSeconds: 600 };
  let forgetting: Promise<void> | undefined;
  const onOutput = () => {
    forgetting ??= forgetRuns(client, sessionId, identity);
  };
  const work = runCommand(client, sessionId, identity, spec, { clock: systemClock, onOutput });
  await work.catch(() => undefined);
  await forgetting;
  expect(await outlives(`sleep ${seconds}`)).toBe(false);
  expect((await runShell(emulated.url, sessionId, "ls -A /tmp/.pulumi-agb")).stdout).toBe("");
});
