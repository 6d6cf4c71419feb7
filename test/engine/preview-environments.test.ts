// The life of preview environments as CI jobs bring it about: each job is the real command in a fresh copy of the project,
// with the real engine, one backend, one AGB and one forge. The tests build on each other, because engine runs are dear.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Emulator, startEmulator } from "../../provider/emulator";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import "../support/await-pulumi-cli";
import { testKey } from "../support/agb-emulator";
import type { ProcessResult } from "../support/bounded-process";
import { createId } from "../support/emulator-requests";
import { type FakeComment, type FakeRequest, type ForgeServer, startForgeServer } from "../support/forge-server";
import { createPulumiProject, javascriptFiles, type PulumiProject, type RunningJob } from "../support/pulumi-project";
import { sendJson } from "../support/scripted-server";

jest.setTimeout(300_000);

const program = `
  const { existsSync } = require("node:fs");
  while (existsSync(process.env.TEST_HOLD_FILE ?? "")) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
  const pulumi = require("@pulumi/pulumi");
  const { AgbSession } = require("pulumi-agb");
  const preview = new pulumi.Config("preview");
  new AgbSession("web", {
    imageId: "agb-code-space-1",
    labels: { request: preview.require("request"), commit: preview.require("commit") },
  });
  exports.password = pulumi.secret("s3cret-of-the-stack");
`;

let emulator: Emulator;
let project: PulumiProject;
let forge: ForgeServer;
let isForgeBroken: boolean;
// What the forge remembers from test to test.
const requests = new Map<number, FakeRequest>();
const comments: FakeComment[] = [];

beforeAll(async () => {
  emulator = await startEmulator({ apiKeys: [testKey], releaseDelayMs: 50 });
  project = await createPulumiProject({
    files: javascriptFiles(program),
    environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url, PULUMI_CONFIG_PASSPHRASE: "a passphrase" },
    hasStack: false,
  });
}, 180_000);

afterAll(async () => {
  await project?.close();
  await emulator?.close();
});

beforeEach(async () => {
  isForgeBroken = false;
  forge = await startForgeServer({
    intercept: (_, response) => {
      if (isForgeBroken) {
        sendJson(response, { message: "oops" }, 500);
      }
      return isForgeBroken;
    },
  });
  for (const [number, { state, updatedAt }] of requests) {
    forge.addRequest(number, state, updatedAt);
  }
  forge.comments.push(...comments);
});

afterEach(() => {
  comments.splice(0, comments.length, ...forge.comments);
});

/** Opens or closes a request, for this test and all that follow. */
function setRequest(number: number, state: FakeRequest["state"], updatedAt = new Date().toISOString()): void {
  requests.set(number, { state, updatedAt });
  forge.addRequest(number, state, updatedAt);
}

function start(...parameters: string[]): Promise<RunningJob> {
  return project.startJob(["preview-environment", ...parameters], forge.gitHub);
}

/** Runs `recover` as the step that follows in the job's folder. */
async function recoverIn({ checkout }: RunningJob, request: number): Promise<ProcessResult> {
  const parameters = ["preview-environment", "recover", "--request", String(request)];
  const result = await (await project.startJob(parameters, forge.gitHub, checkout)).result;
  expect(result).toMatchObject({ exitCode: 0 });
  return result;
}

async function run(...parameters: string[]): Promise<ProcessResult> {
  return (await start(...parameters)).result;
}

async function succeed(...parameters: string[]): Promise<ProcessResult> {
  const result = await run(...parameters);
  expect(result).toMatchObject({ exitCode: 0 });
  return result;
}

const up = (request: number, commit: string) => ["up", "--request", String(request), "--commit", commit];
const down = (request: number) => ["down", "--request", String(request)];

/** The sessions that carry the labels of a request's stack. */
function sessionsOf(request: number) {
  return emulator.sessions().filter(({ labels }) => labels["pulumi-stack"] === `pr-${request}`);
}

function onlySession(request: number) {
  const sessions = sessionsOf(request);
  expect(sessions).toHaveLength(1);
  // biome-ignore lint/style/noNonNullAssertion: there is one, as was just checked
  return sessions[0]!;
}

async function stacks(): Promise<string[]> {
  const { stdout } = await project.succeed("stack", "ls", "--json");
  return JSON.parse(stdout).map(({ name }: { name: string }) => name);
}

/** Waits until something that another process does has come about. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await sleep(50);
  }
}

/** Holds back what AGB does, or the reply to it, and tells when a call has come. */
function hold(operation: "createSession" | "releaseSessionAsync", when: "before" | "after", delayMs = 3_600_000) {
  const fault = emulator.addFault({ operation, when, delayMs, calls: 1 });
  return { reached: () => until(() => fault.struck > 0), release: () => fault.remove() };
}

test("two requests side by side get a stack and a session each, and one comment each", async () => {
  setRequest(1, "open");
  setRequest(2, "open");
  const results = await Promise.all([run(...up(1, "aaaaaaa1")), run(...up(2, "bbbbbbb2"))]);
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(await stacks()).toEqual(["pr-1", "pr-2"]);
  expect(onlySession(1).labels).toMatchObject({ request: "1", commit: "aaaaaaa1" });
  expect(onlySession(2).labels).toMatchObject({ request: "2", commit: "bbbbbbb2" });
  expect(forge.comments.map(({ number }) => number).sort()).toEqual([1, 2]);
  const comment = forge.comments.find(({ number }) => number === 1)?.body;
  expect(comment).toContain(onlySession(1).sessionId);
  expect(comment).toContain("commit=aaaaaaa1");
  expect(comment).toContain("gh run rerun 8001");
  expect(comment).not.toMatch(/s3cret|pulumi-create/);
});

test("a push changes the session's labels in place and the same comment; outputs and summary tell the rest", async () => {
  const before = onlySession(1);
  const [summary, outputs] = [join(project.root, "summary.md"), join(project.root, "outputs.txt")];
  const more = { ...forge.gitHub, GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: outputs };
  const job = await project.startJob(["preview-environment", ...up(1, "cccccc3")], more);
  const { exitCode, stdout } = await job.result;
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`web        ${before.sessionId}   agb-code-space-1   commit=cccccc3 request=1`);
  expect(onlySession(1)).toMatchObject({
    sessionId: before.sessionId,
    labels: { ...before.labels, commit: "cccccc3" },
  });
  expect(forge.comments).toHaveLength(2);
  expect(forge.comments.find(({ number }) => number === 1)?.body).toContain("commit=cccccc3");
  expect(await readFile(summary, "utf8")).toContain("### The preview environment of request 1 is ready");
  expect(await readFile(outputs, "utf8")).toBe(
    `stack=pr-1\nsession-ids=${JSON.stringify({ web: before.sessionId })}\n`,
  );
});

test("a push after AGB has released the session makes it again, and secrets stay readable", async () => {
  const before = onlySession(1).sessionId;
  await emulator.release(before);
  await succeed(...up(1, "ddddddd4"));
  expect(onlySession(1).sessionId).not.toBe(before);
  const { stdout } = await project.succeed("stack", "output", "--stack", "pr-1", "--show-secrets");
  expect(stdout).toContain("s3cret-of-the-stack");
});

test("without a forge it works all the same", async () => {
  const none = { GITHUB_REPOSITORY: "", GITHUB_TOKEN: "" };
  const job = await project.startJob(["preview-environment", ...up(1, "ddddddd4")], none);
  const { exitCode, stdout } = await job.result;
  expect(exitCode).toBe(0);
  expect(stdout).toContain("No forge is known, so no comment is written.");
});

test("a forge that fails costs a warning, not the environment", async () => {
  isForgeBroken = true;
  const { stdout } = await succeed(...up(2, "bbbbbbb2"));
  expect(stdout).toMatch(/^::warning::The comment was not written: /m);
});

test("another repository with the same names is refused, and from a backend of its own touches nothing", async () => {
  const before = onlySession(1);
  expect(before.labels).toMatchObject({ "pulumi-repository": "github.com/repositories/81" });
  const backend = join(project.root, "other-backend");
  await mkdir(backend);
  const other = { ...forge.gitHub, GITHUB_REPOSITORY_ID: "99" };
  for (const command of [up(1, "eeeeeee9"), down(1), ["recover", "--force", "--request", "1"]]) {
    const refused = await (await project.startJob(["preview-environment", ...command], other)).result;
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^::error::pulumi-agb .*: pr-1 of the project engine-test holds .*: github\.com\/repositories\/81/m,
      ),
    });
  }
  for (const command of [down(1), ["recover", "--force", "--request", "1"]]) {
    const elsewhere = { ...other, PULUMI_BACKEND_URL: `file://${backend}` };
    const nothing = await (await project.startJob(["preview-environment", ...command], elsewhere)).result;
    expect(nothing).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("There is no stack pr-1") });
  }
  expect(onlySession(1)).toEqual(before);

  const labels = { "pulumi-project": "engine-test", "pulumi-stack": "pr-8" };
  const nobodys = await createId(emulator.url, labels, {}, testKey);
  const { exitCode, stdout } = await run(...down(8));
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(/^::warning::There is no stack pr-8 here, .* the wrong backend/m);
  expect(onlySession(8).sessionId).toBe(nobodys);
  await emulator.release(nobodys);
});

describe("a job that is cancelled half way through `up`", () => {
  test("and has the time to end in order loses nothing", async () => {
    setRequest(3, "open");
    const create = hold("createSession", "after", 5_000);
    const job = await start(...up(3, "eeeeeee5"));
    await create.reached();
    job.send("SIGINT");
    const { exitCode } = await job.result;
    create.release();
    expect(exitCode).not.toBe(0);
    expect(forge.comments.find(({ number }) => number === 3)?.body).toContain("was cancelled before it was ready");
    expect((await recoverIn(job, 3)).stdout).toBe("No run on pr-3 was cut off here, so there is nothing to recover.\n");
    const { sessionId } = onlySession(3);
    await succeed(...up(3, "eeeeeee5"));
    expect(onlySession(3).sessionId).toBe(sessionId);
    await succeed(...down(3));
  });

  test("and is killed leaves a lock and a session, which `recover --force` removes from anywhere", async () => {
    const create = hold("createSession", "after");
    const job = await start(...up(3, "eeeeeee5"));
    await create.reached();
    job.send("SIGINT");
    await until(() => job.printed().includes("cancelling"));
    job.send("SIGTERM");
    expect(await Promise.race([job.result, sleep(500, "still at it")])).toBe("still at it");
    await job.kill();
    create.release();
    const orphan = onlySession(3).sessionId;

    const { stdout } = await succeed("recover", "--request", "3", "--force");
    expect(stdout).toContain("The lock of pr-3 is free.");
    expect(stdout).toContain(`released: ${orphan} (web, created 20`);
    expect(sessionsOf(3)).toEqual([]);
    await succeed(...up(3, "eeeeeee5"));
    expect(onlySession(3).labels).toMatchObject({ commit: "eeeeeee5" });
  });

  test("and whose command alone is killed: `recover` in its folder, and only there, ends the Pulumi that lives on", async () => {
    await emulator.release(onlySession(3).sessionId);
    const create = hold("createSession", "after", 5_000);
    const job = await start(...up(3, "abcdef01"));
    await create.reached();
    job.send("SIGKILL");
    const { sessionId } = onlySession(3);

    expect((await succeed("recover", "--request", "3")).stdout).toContain("No run on pr-3 was cut off here");
    expect(onlySession(3).sessionId).toBe(sessionId);
    const { stdout } = await recoverIn(job, 3);
    create.release();
    expect(stdout).toMatch(/^The Pulumi of the run on pr-3 \(pid \d+\) was still running\. It has ended now\.$/m);
    expect(stdout).toContain("The state of pr-3 knows all its sessions.");
    expect((await recoverIn(job, 3)).stdout).toContain("No run on pr-3 was cut off here");
    await succeed(...up(3, "abcdef01"), "--lock-wait", "0s");
    expect(onlySession(3).sessionId).toBe(sessionId);
  });

  test("and is killed without a `recover`: the next `up` takes the lock, and `down` releases what no state knows", async () => {
    await emulator.release(onlySession(3).sessionId);
    const create = hold("createSession", "after");
    const job = await start(...up(3, "fffffff6"));
    await create.reached();
    await job.kill();
    create.release();
    const orphan = onlySession(3).sessionId;

    const { stdout } = await succeed(...up(3, "fffffff6"));
    expect(stdout).toMatch(/^::warning::pr-3 is locked by a dead run \(run of .*\)\. Taking the lock away\.$/m);
    expect(sessionsOf(3)).toHaveLength(2);
    await succeed(...down(3));
    expect(emulator.sessions().map(({ sessionId }) => sessionId)).not.toContain(orphan);
    expect(sessionsOf(3)).toEqual([]);
  });
});

describe("a close", () => {
  test("while `up` runs waits for it, then takes everything down; one that is cancelled while it waits disturbs nothing", async () => {
    setRequest(4, "open");
    const holdFile = join(project.root, "hold");
    await writeFile(holdFile, "");
    const more = { ...forge.gitHub, TEST_HOLD_FILE: holdFile };
    const deploy = await project.startJob(["preview-environment", ...up(4, "aaaaaaa7")], more);
    await until(() => deploy.printed().includes("Updating (pr-4)"));
    const cancelled = await start(...down(4));
    await until(() => cancelled.printed().includes("pr-4 is locked (run of "));
    cancelled.send("SIGINT");
    expect((await cancelled.result).exitCode).toBe(130);
    expect((await recoverIn(cancelled, 4)).stdout).toContain("No run on pr-4 was cut off here");
    const teardown = await start(...down(4));
    await until(() => teardown.printed().includes("pr-4 is locked (run of "));
    await rm(holdFile);
    expect((await deploy.result).exitCode).toBe(0);
    expect((await teardown.result).exitCode).toBe(0);
    expect(sessionsOf(4)).toEqual([]);
    expect(await stacks()).toEqual(["pr-1", "pr-2"]);
  });

  test("says so in the comment, needs no program, and may come twice", async () => {
    setRequest(2, "merged");
    const text = await readFile(join(project.directory, "index.js"), "utf8");
    await project.remove("index.js");
    await succeed(...down(2));
    const { stdout } = await succeed(...down(2));
    await project.write("index.js", text);
    expect(stdout).toContain("There is no stack pr-2.");
    expect(sessionsOf(2)).toEqual([]);
    expect(await stacks()).toEqual(["pr-1"]);
    const told = forge.comments.filter(({ number }) => number === 2);
    expect(told.map(({ body }) => body)).toEqual([expect.stringContaining("is gone")]);
  });
});

describe("the sweep", () => {
  let kept: string[];

  const running = () =>
    emulator
      .sessions()
      .map(({ sessionId }) => sessionId)
      .sort();
  const labelsOf = (stack: string, minutesOld: number, projectName = "engine-test") => ({
    "pulumi-project": projectName,
    "pulumi-stack": stack,
    "pulumi-resource": "web",
    "pulumi-create": newCreateToken(new Date(Date.now() - minutesOld * 60_000)),
  });
  const make = (labels: Record<string, string>) => createId(emulator.url, labels, {}, testKey);
  /** A session such as a killed run of a request's stack leaves behind. */
  const makeOrphan = (labels: Readonly<Record<string, string>>, minutesOld: number) => {
    const createdAt = new Date(Date.now() - minutesOld * 60_000);
    return make({ ...labels, "pulumi-create": newCreateToken(createdAt) });
  };

  test("in a dry run tells of a killed `destroy` and changes nothing", async () => {
    setRequest(5, "open");
    await succeed(...up(5, "aaaaaaa8"));
    const [first, fifth] = [onlySession(1).labels, onlySession(5).labels];
    const release = hold("releaseSessionAsync", "before");
    const job = await start(...down(5));
    await release.reached();
    await job.kill();
    release.release();
    setRequest(5, "closed");

    // What it must leave alone: sessions of the open request 1, of other stacks and projects, of stacks of the same names in
    // other backends, and those of nobody.
    kept = [
      onlySession(1).sessionId,
      await make(labelsOf("production", 60)),
      await make(labelsOf("pr-5", 60, "bank")),
      await make({ "pulumi-stack": "pr-5" }),
      await make({ request: "5" }),
      await make(labelsOf("pr-1", 60)),
      await makeOrphan({ ...first, "pulumi-stack-id": "fedcba9876543210" }, 60),
      await makeOrphan(first, 2),
    ];
    await makeOrphan(first, 60);
    await makeOrphan(fifth, 60);
    setRequest(6, "closed");
    await make({ ...labelsOf("pr-6", 60), "pulumi-repository": "github.com/repositories/81" });
    await project.succeed("stack", "init", "production");
    await project.remove("Pulumi.production.yaml");

    const before = running();
    const { exitCode, stdout } = await run("sweep");
    expect(exitCode).toBe(2);
    expect(stdout).toContain("kept: pr-1: its request is open");
    expect(stdout).toContain("would remove: pr-5: its request is closed");
    expect(stdout.match(/^would release: /gm)).toHaveLength(2);
    expect(stdout).toContain("Nothing was removed or released. To do it, add --yes.");
    expect(running()).toEqual(before);
    expect(await stacks()).toEqual(["pr-1", "pr-5", "production"]);
  });

  test.each(["knows no request", "fails"])("removes nothing when the forge %s, and fails", async (how) => {
    const before = running();
    if (how === "fails") {
      isForgeBroken = true;
    } else {
      forge.requests.clear();
    }
    const { exitCode, stdout } = await run("sweep", "--yes", "--lock-wait", "0s");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^left: pr-5: /m);
    expect(stdout).toMatch(/^::warning::Request 5: /m);
    expect(running()).toEqual(before);
    expect(await stacks()).toEqual(["pr-1", "pr-5", "production"]);
  });

  test("fails without a token before it looks at anything", async () => {
    const more = { ...forge.gitHub, GITHUB_TOKEN: "" };
    const job = await project.startJob(["preview-environment", "sweep", "--yes"], more);
    const { exitCode, stderr } = await job.result;
    expect(exitCode).toBe(1);
    expect(stderr).toContain("GITHUB_TOKEN");
    expect(await stacks()).toContain("pr-5");
  });

  test("with --yes removes what belongs to closed requests, and orphans, and only them", async () => {
    const { exitCode, stdout } = await run("sweep", "--yes", "--lock-wait", "1s");
    expect(stdout).toMatch(/^removed: pr-5: its request is closed$/m);
    expect(stdout).toMatch(/^left: .*: it is younger than 10 minutes /m);
    expect(stdout).toMatch(/^::warning::The sweep removed 1 stacks and released 3 sessions/m);
    expect(exitCode).toBe(2);
    expect(running()).toEqual(kept.sort());
    expect(await stacks()).toEqual(["pr-1", "production"]);
  });

  test("takes an open request that nobody touched for days for closed, if asked to", async () => {
    setRequest(1, "open", new Date(Date.now() - 4 * 86_400_000).toISOString());
    expect((await run("sweep", "--yes", "--idle-days", "5")).stdout).toContain("kept: pr-1");
    const { exitCode, stdout } = await run("sweep", "--yes", "--idle-days", "3");
    expect(stdout).toContain("removed: pr-1: its request had no activity for 4 days");
    expect(forge.comments.find(({ number }) => number === 1)?.body).toContain("A new push recreates it.");
    // The open request may have an environment in another backend, and one session tells nothing of its stack.
    expect(stdout).toMatch(/^left: .*: it carries no stack id/m);
    expect(stdout).toMatch(/^foreign: .*stack id fedcba9876543210$/m);
    expect(exitCode).toBe(2);
  });

  test("leaves no session and no stack of a request", async () => {
    expect(await stacks()).toEqual(["production"]);
    expect(running().filter((id) => !kept.includes(id))).toEqual([]);
    const ours = emulator.sessions().filter(({ labels }) => labels["pulumi-project"] === "engine-test");
    // Two are another backend's or nobody's for certain: no state that was read had their stack's id.
    expect(ours.map(({ labels }) => labels["pulumi-stack"]).sort()).toEqual(["pr-1", "pr-1", "production"]);
  });
});
