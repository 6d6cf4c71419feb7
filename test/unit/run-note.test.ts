import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isProcessAlive, startTimeOf } from "../../provider/pulumi/process-facts";
import { findCutOffRun, noteRun } from "../../provider/pulumi/run-note";
import { closeAfterTest } from "../support/close-after-test";
import { makeTemporaryFolder } from "../support/node-process";

const noteName = ".pulumi-agb-run-pr-12.json";

/** Starts a process that lives until it is ended, and waits until it is ready for signals. */
async function startProcess(program = ""): Promise<{ child: ChildProcess; pid: number }> {
  const text = `${program}; setInterval(() => {}, 1e6); console.log("ready")`;
  const child = spawn(process.execPath, ["-e", text], { stdio: ["ignore", "pipe", "ignore"] });
  closeAfterTest({ close: async () => void child.kill("SIGKILL") });
  await once(child.stdout, "data");
  return { child, pid: child.pid ?? 0 };
}

/** A process that was, and whose id is nobody's now. */
async function endedProcess(): Promise<number> {
  const { child, pid } = await startProcess();
  child.kill("SIGKILL");
  await once(child, "exit");
  return pid;
}

const onLinux = process.platform === "linux" ? test : test.skip;

test("the note exists while the run does, and only its owner can read it", async () => {
  const folder = await makeTemporaryFolder();
  const run = noteRun(folder, "pr-12", process.pid);
  expect(await readdir(folder)).toEqual([noteName]);
  expect((await stat(join(folder, noteName))).mode & 0o777).toBe(0o600);
  expect(findCutOffRun(folder, "pr-12")?.pid).toBe(process.pid);
  expect(findCutOffRun(folder, "pr-1")).toBeUndefined();
  expect(findCutOffRun(folder, "acme/pr-12")).toBeUndefined();
  run.over();
  expect(await readdir(folder)).toEqual([]);
  expect(findCutOffRun(folder, "pr-12")).toBeUndefined();
});

test("the stacks of organizations have notes of their own", async () => {
  const folder = await makeTemporaryFolder();
  noteRun(folder, "acme/pr-12", process.pid);
  expect(await readdir(folder)).toEqual([".pulumi-agb-run-acme-pr-12.json"]);
  expect(findCutOffRun(folder, "acme/pr-12")?.pid).toBe(process.pid);
});

test("the note of a live run is not replaced by that of a run that will be refused", async () => {
  const folder = await makeTemporaryFolder();
  const { pid } = await startProcess();
  noteRun(folder, "pr-12", pid);
  const refused = noteRun(folder, "pr-12", process.pid);
  refused.askedToEnd();
  refused.over();
  expect(findCutOffRun(folder, "pr-12")?.pid).toBe(pid);
});

test("the note of a run that was cut off is replaced by that of the next one", async () => {
  const folder = await makeTemporaryFolder();
  noteRun(folder, "pr-12", await endedProcess());
  noteRun(folder, "pr-12", process.pid).over();
  expect(await readdir(folder)).toEqual([]);
});

test("a link in the note's place is replaced, not followed", async () => {
  const folder = await makeTemporaryFolder();
  const victim = join(folder, "victim");
  await writeFile(victim, "text");
  await symlink(victim, join(folder, noteName));
  noteRun(folder, "pr-12", process.pid);
  expect(await readFile(victim, "utf8")).toBe("text");
});

test.each([
  ["nothing", ""],
  ["a group of processes", '{"stack":"pr-12","pid":-5,"isAskedToEnd":false}'],
  ["all processes", '{"stack":"pr-12","pid":-1,"isAskedToEnd":false}'],
  ["the own group", '{"stack":"pr-12","pid":0,"isAskedToEnd":false}'],
  ["the first process", '{"stack":"pr-12","pid":1,"isAskedToEnd":false}'],
  ["a string", '{"stack":"pr-12","pid":"12","isAskedToEnd":false}'],
  ["another stack", '{"stack":"pr-13","pid":1234,"isAskedToEnd":false}'],
])("a note that names %s is none", async (_, text) => {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, noteName), text);
  expect(findCutOffRun(folder, "pr-12")).toBeUndefined();
});

test("a run that has ended needs no signal, and forgetting it removes the note", async () => {
  const folder = await makeTemporaryFolder();
  noteRun(folder, "pr-12", await endedProcess());
  const run = findCutOffRun(folder, "pr-12");
  expect(await run?.end()).toBe("had ended");
  run?.forget();
  expect(await readdir(folder)).toEqual([]);
});

test("a run that is still active is asked to end", async () => {
  const folder = await makeTemporaryFolder();
  const { child, pid } = await startProcess('process.on("SIGINT", () => setTimeout(() => process.exit(7), 300))');
  const exit = once(child, "exit");
  noteRun(folder, "pr-12", pid);
  expect(await findCutOffRun(folder, "pr-12")?.end()).toBe("ended");
  expect(await exit).toEqual([7, null]);
});

test("a run that was asked before is not asked again: it would drop everything", async () => {
  const folder = await makeTemporaryFolder();
  const { child, pid } = await startProcess(
    'process.on("SIGINT", () => process.exit(7)); setTimeout(() => process.exit(0), 500)',
  );
  const exit = once(child, "exit");
  noteRun(folder, "pr-12", pid).askedToEnd();
  expect(await findCutOffRun(folder, "pr-12")?.end()).toBe("ended");
  expect(await exit).toEqual([0, null]);
});

test("a run that does not end in time is killed", async () => {
  const folder = await makeTemporaryFolder();
  const { child, pid } = await startProcess('process.on("SIGINT", () => {})');
  const exit = once(child, "exit");
  noteRun(folder, "pr-12", pid);
  expect(await findCutOffRun(folder, "pr-12")?.end(200)).toBe("was killed");
  expect(await exit).toEqual([null, "SIGKILL"]);
});

onLinux("a process that has got the id of an ended run is left alone", async () => {
  const folder = await makeTemporaryFolder();
  const { child, pid } = await startProcess();
  await writeFile(join(folder, noteName), JSON.stringify({ stack: "pr-12", pid, startTime: "1", isAskedToEnd: false }));
  expect(await findCutOffRun(folder, "pr-12")?.end()).toBe("had ended");
  expect(child.exitCode).toBeNull();
  expect(isProcessAlive(pid)).toBe(true);
});

onLinux("the start time of a process is known, and that of a missing process is not", async () => {
  expect(Number(startTimeOf(process.pid))).toBeGreaterThan(0);
  const pid = await endedProcess();
  expect(startTimeOf(pid)).toBeUndefined();
  expect(isProcessAlive(pid)).toBe(false);
  expect(isProcessAlive(1)).toBe(true);
});
