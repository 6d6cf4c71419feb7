// The life of preview environments, from the first request to the sweep, with the real engine. The tests build on each
// other.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import "../support/await-pulumi-cli";
import { testKey } from "../support/agb-emulator";
import { ask, createId } from "../support/emulator-requests";
import { down, PreviewWorld, until, up } from "../support/preview-world";

jest.setTimeout(600_000);

const world = new PreviewWorld();

test("two requests side by side get a stack and a session each, and one comment each", async () => {
  world.setRequest(1, "open");
  world.setRequest(2, "open");
  const results = await Promise.all([world.run(...up(1, "aaaaaaa1")), world.run(...up(2, "bbbbbbb2"))]);
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(await world.stacks()).toEqual(["pr-1", "pr-2"]);
  expect(world.onlySession(1).labels).toMatchObject({ request: "1", commit: "aaaaaaa1" });
  expect(world.onlySession(2).labels).toMatchObject({ request: "2", commit: "bbbbbbb2" });
  expect(world.forge.comments.map(({ number }) => number).sort()).toEqual([1, 2]);
  const comment = world.forge.comments.find(({ number }) => number === 1)?.body;
  expect(comment).toContain(world.onlySession(1).sessionId);
  expect(comment).toContain("commit=aaaaaaa1");
  expect(comment).toContain("gh run rerun 8001");
  expect(comment).not.toMatch(/s3cret|pulumi-create/);
});

test("a push changes the session's labels in place and the same comment; outputs and summary tell the rest", async () => {
  const before = world.onlySession(1);
  const [summary, outputs] = [join(world.project.root, "summary.md"), join(world.project.root, "outputs.txt")];
  const more = { ...world.forge.gitHub, GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: outputs };
  const job = await world.project.startJob(["preview-environment", ...up(1, "cccccc3")], more);
  const { exitCode, stdout } = await job.result;
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`web        ${before.sessionId}   agb-code-space-1   commit=cccccc3 request=1`);
  expect(world.onlySession(1)).toMatchObject({
    sessionId: before.sessionId,
    labels: { ...before.labels, commit: "cccccc3" },
  });
  expect(world.forge.comments).toHaveLength(2);
  expect(world.forge.comments.find(({ number }) => number === 1)?.body).toContain("commit=cccccc3");
  expect(await readFile(summary, "utf8")).toContain("### The preview environment of request 1 is ready");
  expect(await readFile(outputs, "utf8")).toBe(
    `stack=pr-1\nsession-ids=${JSON.stringify({ web: before.sessionId })}\n`,
  );
});

test("a push after AGB has released the session recreates it, and secrets stay readable", async () => {
  const before = world.onlySession(1).sessionId;
  await world.emulator.release(before);
  await world.succeed(...up(1, "ddddddd4"));
  expect(world.onlySession(1).sessionId).not.toBe(before);
  const { stdout } = await world.project.succeed("stack", "output", "--stack", "pr-1", "--show-secrets");
  expect(stdout).toContain("s3cret-of-the-stack");
});

test("it also works without a forge", async () => {
  const none = { GITHUB_REPOSITORY: "", GITHUB_TOKEN: "" };
  const job = await world.project.startJob(["preview-environment", ...up(1, "ddddddd4")], none);
  const { exitCode, stdout } = await job.result;
  expect(exitCode).toBe(0);
  expect(stdout).toContain("No comment was written, because neither GitHub nor GitLab is known.");
});

test("a failing forge causes a warning and does not stop the environment", async () => {
  world.isForgeBroken = true;
  const { stdout } = await world.succeed(...up(2, "bbbbbbb2"));
  expect(stdout).toMatch(/^::warning::Could not write the comment: .* \[AGB707\]$/m);
});

test("another repository with the same names is refused, and from a backend of its own touches nothing", async () => {
  const before = world.onlySession(1);
  expect(before.labels).toMatchObject({ "pulumi-repository": "github.com/repositories/81" });
  const backend = join(world.project.root, "other-backend");
  await mkdir(backend);
  const other = { ...world.forge.gitHub, GITHUB_REPOSITORY_ID: "99" };
  for (const command of [up(1, "eeeeeee9"), down(1), ["recover", "--force", "--request", "1"]]) {
    const refused = await (await world.project.startJob(["preview-environment", ...command], other)).result;
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^::error::pulumi-agb .*: pr-1 of the project engine-test holds .*: github\.com\/repositories\/81/m,
      ),
    });
  }
  for (const command of [down(1), ["recover", "--force", "--request", "1"]]) {
    const elsewhere = { ...other, PULUMI_BACKEND_URL: `file://${backend}` };
    const nothing = await (await world.project.startJob(["preview-environment", ...command], elsewhere)).result;
    expect(nothing).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("There is no stack pr-1") });
  }
  expect(world.onlySession(1)).toEqual(before);

  const labels = { "pulumi-project": "engine-test", "pulumi-stack": "pr-8" };
  const nobodys = await createId(world.emulator.url, labels, {}, testKey);
  const { exitCode, stdout } = await world.run(...down(8));
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(/^::warning::Sessions with the labels of pr-8 were left, .* the wrong backend.* \[AGB727\]$/m);
  expect(world.onlySession(8).sessionId).toBe(nobodys);
  await world.emulator.release(nobodys);
});

describe("a close", () => {
  test("while `up` runs waits for it, then takes everything down; one that is cancelled while it waits disturbs nothing", async () => {
    world.setRequest(4, "open");
    const holdFile = join(world.project.root, "hold");
    await writeFile(holdFile, "");
    const more = { ...world.forge.gitHub, TEST_HOLD_FILE: holdFile };
    const deploy = await world.project.startJob(["preview-environment", ...up(4, "aaaaaaa7")], more);
    await until(() => deploy.printed().includes("Updating (pr-4)"));
    const cancelled = await world.start(...down(4));
    await until(() => cancelled.printed().includes("pr-4 is locked (run of "));
    cancelled.send("SIGINT");
    expect((await cancelled.result).exitCode).toBe(130);
    expect((await world.recoverIn(cancelled, 4)).stdout).toContain("No run on pr-4 was cut off here");
    const teardown = await world.start(...down(4));
    await until(() => teardown.printed().includes("pr-4 is locked (run of "));
    await rm(holdFile);
    expect((await deploy.result).exitCode).toBe(0);
    expect((await teardown.result).exitCode).toBe(0);
    expect(world.sessionsOf(4)).toEqual([]);
    expect(await world.stacks()).toEqual(["pr-1", "pr-2"]);
    expect(world.contexts()).toEqual(["files-of-request-1", "files-of-request-2"]);
  });

  test("says so in the comment, needs no program, and may come twice", async () => {
    world.setRequest(2, "merged");
    const text = await readFile(join(world.project.directory, "index.js"), "utf8");
    await world.project.remove("index.js");
    await world.succeed(...down(2));
    const { stdout } = await world.succeed(...down(2));
    await world.project.write("index.js", text);
    expect(stdout).toContain("There is no stack pr-2.");
    expect(world.sessionsOf(2)).toEqual([]);
    expect(await world.stacks()).toEqual(["pr-1"]);
    expect(world.contexts()).toEqual(["files-of-request-1"]);
    const onRequest = world.forge.comments.filter(({ number }) => number === 2);
    expect(onRequest.map(({ body }) => body)).toEqual([expect.stringContaining("is gone")]);
  });
});

describe("the sweep", () => {
  let kept: string[];

  const running = () =>
    world.emulator
      .sessions()
      .map(({ sessionId }) => sessionId)
      .sort();
  const labelsOf = (stack: string, minutesOld: number, projectName = "engine-test") => ({
    "pulumi-project": projectName,
    "pulumi-stack": stack,
    "pulumi-resource": "web",
    "pulumi-create": newCreateToken(new Date(Date.now() - minutesOld * 60_000)),
  });
  const make = (labels: Record<string, string>) => createId(world.emulator.url, labels, {}, testKey);
  /** A session such as a killed run of a request's stack leaves behind. */
  const makeOrphan = (labels: Readonly<Record<string, string>>, minutesOld: number) => {
    const createdAt = new Date(Date.now() - minutesOld * 60_000);
    return make({ ...labels, "pulumi-create": newCreateToken(createdAt) });
  };

  test("in a dry run reports a killed `destroy` and changes nothing", async () => {
    world.setRequest(5, "open");
    await world.succeed(...up(5, "aaaaaaa8"));
    const [first, fifth] = [world.onlySession(1).labels, world.onlySession(5).labels];
    const release = world.hold("releaseSessionAsync", "before");
    const job = await world.start(...down(5));
    await release.reached();
    await job.kill();
    release.release();
    world.setRequest(5, "closed");

    // What it must leave alone: sessions of the open request 1, of other stacks and projects, of stacks of the same names in
    // other backends, and those of nobody.
    kept = [
      world.onlySession(1).sessionId,
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
    world.setRequest(6, "closed");
    await make({ ...labelsOf("pr-6", 60), "pulumi-repository": "github.com/repositories/81" });
    // A context says nothing about its owner.
    const query = { name: "files-of-request-6", allowCreate: "true" };
    await ask(world.emulator.url, "GET", "/sdk/GetContext", { query, key: testKey });
    await world.project.succeed("stack", "init", "production");
    await world.project.remove("Pulumi.production.yaml");

    const before = running();
    const { exitCode, stdout } = await world.run("sweep");
    expect(exitCode).toBe(2);
    expect(stdout).toContain("kept: pr-1: its request is open");
    expect(stdout).toContain("would remove: pr-5: its request is closed");
    expect(stdout.match(/^would release: /gm)).toHaveLength(2);
    expect(stdout).toContain("Nothing was removed or released. Add --yes to remove and release it.");
    expect(running()).toEqual(before);
    expect(await world.stacks()).toEqual(["pr-1", "pr-5", "production"]);
  });

  test.each(["knows no request", "fails"])("removes nothing when the forge %s, and fails", async (how) => {
    const before = running();
    if (how === "fails") {
      world.isForgeBroken = true;
    } else {
      world.forge.requests.clear();
    }
    const { exitCode, stdout } = await world.run("sweep", "--yes", "--lock-wait", "0s");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^left: pr-5: /m);
    expect(stdout).toMatch(/^::warning::Request 5: /m);
    expect(running()).toEqual(before);
    expect(await world.stacks()).toEqual(["pr-1", "pr-5", "production"]);
  });

  test("fails without a token before it looks at anything", async () => {
    const more = { ...world.forge.gitHub, GITHUB_TOKEN: "" };
    const job = await world.project.startJob(["preview-environment", "sweep", "--yes"], more);
    const { exitCode, stderr } = await job.result;
    expect(exitCode).toBe(1);
    expect(stderr).toContain("GITHUB_TOKEN");
    expect(await world.stacks()).toContain("pr-5");
  });

  test("with --yes removes only orphans and what belongs to closed requests", async () => {
    const { exitCode, stdout } = await world.run("sweep", "--yes", "--lock-wait", "1s");
    expect(stdout).toMatch(/^removed: pr-5: its request is closed$/m);
    expect(stdout).toMatch(/^left: .*: it is younger than 10 minutes /m);
    expect(stdout).toMatch(/^::warning::The sweep removed 1 stack and released 3 sessions/m);
    expect(exitCode).toBe(2);
    expect(running()).toEqual(kept.sort());
    expect(await world.stacks()).toEqual(["pr-1", "production"]);
  });

  test("treats an open request without activity for days as closed, if asked to", async () => {
    world.setRequest(1, "open", new Date(Date.now() - 4 * 86_400_000).toISOString());
    expect((await world.run("sweep", "--yes", "--idle-days", "5")).stdout).toContain("kept: pr-1");
    const { exitCode, stdout } = await world.run("sweep", "--yes", "--idle-days", "3");
    expect(stdout).toContain("removed: pr-1: its request had no activity for 4 days");
    expect(world.forge.comments.find(({ number }) => number === 1)?.body).toContain("A new push recreates it.");
    // The open request may have an environment in another backend, and one session tells nothing of its stack.
    expect(stdout).toMatch(/^left: .*: it carries no stack id/m);
    expect(stdout).toMatch(/^foreign: .*stack id fedcba9876543210$/m);
    expect(exitCode).toBe(2);
  });

  test("leaves no session, no stack and no context of a stack, and a context of nobody", async () => {
    expect(await world.stacks()).toEqual(["production"]);
    expect(world.contexts()).toEqual(["files-of-request-6"]);
    expect(running().filter((id) => !kept.includes(id))).toEqual([]);
    const ours = world.emulator.sessions().filter(({ labels }) => labels["pulumi-project"] === "engine-test");
    // Two are another backend's or nobody's for certain: no state that was read had their stack's id.
    expect(ours.map(({ labels }) => labels["pulumi-stack"]).sort()).toEqual(["pr-1", "pr-1", "production"]);
  });
});
