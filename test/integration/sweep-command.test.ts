import { runBounded } from "../support/bounded-process";
import { hosts } from "../support/resource-hosts";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";
import { command, openEmulator, openSweep, otherStackId, ownLabels, stackOf } from "../support/sweep-command";

test("without --yes it shows what it would release, releases nothing and exits with 2", async () => {
  const { emulator, make, running } = await openEmulator();
  const orphan = await make(ownLabels(11));
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stdout, stderr } = await sweep();
  expect(stdout).toMatch(new RegExp(`^would release: ${orphan} \\(web, created 20\\S+Z\\)\n`));
  expect(stdout).toContain("Nothing was released. Add --yes to release them.");
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: "" });
  expect(running()).toEqual([orphan]);
});

describe.each(hosts)("of a stack of the host %s", (host) => {
  const { ownLabels, exportOf } = stackOf(host);

  test("it releases only orphans with --yes, and exits with 0", async () => {
    const { emulator, make, running } = await openEmulator();
    const orphan = await make(ownLabels(11));
    const kept = [
      await make(ownLabels(11)),
      await make(ownLabels(11, { "pulumi-stack": "production", "pulumi-stack-id": otherStackId })),
      await make(ownLabels(11, { "pulumi-project": "bank", "pulumi-stack-id": otherStackId })),
      await make({ project: "shop", stack: "dev" }),
      await make({}),
    ];
    const { sweep } = await openSweep(emulator.url, exportOf(kept.slice(0, 1)));
    const { exitCode, stdout } = await sweep("--yes");
    expect(stdout).toContain(`released: ${orphan}`);
    expect(exitCode).toBe(0);
    expect(running().sort()).toEqual(kept.sort());
  });

  test("it says so and exits with 0 when the state knows every session", async () => {
    const { emulator, make } = await openEmulator();
    const { sweep } = await openSweep(emulator.url, exportOf([await make(ownLabels(60))]));
    expect(await sweep("--yes")).toEqual({
      exitCode: 0,
      stdout: "The state of shop/dev knows all its sessions.\n",
      stderr: "",
    });
  });
});

test("young sessions and those of unknown age are left, with the reason, and the exit code is 2", async () => {
  const { emulator, make, running } = await openEmulator();
  const young = await make(ownLabels(8));
  const ageless = await make(ownLabels(60, { "pulumi-create": "yesterday" }));
  const { "pulumi-create": _, ...unmarked } = ownLabels(60);
  const nameless = await make(unmarked);
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stdout } = await sweep("--yes");
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(new RegExp(`^left: ${young} .*: it is younger than 10 minutes \\(--older-than\\).*$`, "m"));
  expect(stdout).toMatch(new RegExp(`^left: ${ageless} .*: its age is unknown.* \\[AGB625\\]$`, "m"));
  expect(stdout).toMatch(new RegExp(`^left: ${nameless} .*: its age is unknown.* \\[AGB625\\]$`, "m"));
  expect(running()).toHaveLength(3);
});

test.each([
  ["90s", 1, 2],
  ["5m", 4, 6],
  ["1h", 50, 70],
])("--older-than %s moves the limit", async (limit, youngMinutes, oldMinutes) => {
  const { emulator, make, running } = await openEmulator();
  const young = await make(ownLabels(youngMinutes));
  await make(ownLabels(oldMinutes));
  const { sweep } = await openSweep(emulator.url);
  await sweep("--yes", "--older-than", limit);
  expect(running()).toEqual([young]);
});

test.each(["10", "1d", "-5m", "soon"])("a limit of %s is refused", async (limit) => {
  const { sweep } = await openSweep("http://127.0.0.1:9");
  const { exitCode, stderr } = await sweep("--yes", "--older-than", limit);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("Give it as 90s, 10m or 2h.");
});

test("every page of the list is followed", async () => {
  const { emulator, make, running } = await openEmulator({ pageCap: 2 });
  for (let made = 0; made < 5; made++) {
    await make(ownLabels(11));
  }
  const { sweep } = await openSweep(emulator.url);
  expect((await sweep("--yes")).exitCode).toBe(0);
  expect(running()).toEqual([]);
  expect(emulator.requestCounts()["ListSession"]).toBeGreaterThan(2);
});

test.each(["text", "json"])(
  "a label that another tool wrote affects neither a terminal nor a CI system: %s",
  async (format) => {
    const { emulator, make } = await openEmulator();
    const resource = "\u001b[2J\r\n::add-mask::x\u202e\u009b1m ##[group]";
    await make(ownLabels(11, { "pulumi-resource": resource }));
    const { sweep } = await openSweep(emulator.url);
    const { stdout, stderr } = await sweep("--output", format);
    expect(stdout + stderr).not.toMatch(/[^\P{C}\n]|^\s*::/mu);
    if (format === "json") {
      expect(JSON.parse(stdout)).toMatchObject({ sessions: [{ resource }] });
    } else {
      expect(stdout).toContain("\\u001b[2J\\r\\n::add-mask::x\\u202e\\u009b1m ## [group]");
    }
  },
);

test("--output json is one document", async () => {
  const { emulator, make } = await openEmulator();
  const labels = ownLabels(11);
  const orphan = await make(labels);
  const young = await make(ownLabels(1));
  const { sweep } = await openSweep(emulator.url);
  const { sessions, ...stack } = JSON.parse((await sweep("--output", "json", "--yes")).stdout);
  expect(stack).toEqual({ project: "shop", stack: "dev" });
  expect(sessions).toHaveLength(2);
  expect(sessions).toContainEqual({
    sessionId: orphan,
    resource: "web",
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+\.000Z$/),
    action: "released",
  });
  expect(sessions).toContainEqual({
    sessionId: young,
    resource: "web",
    createdAt: expect.any(String),
    action: "left",
    code: "AGB624",
    reason: expect.stringMatching(/^it is younger than 10 minutes \(--older-than\)/),
  });
});

test("a session whose labels cannot be read is left, and the others are released", async () => {
  const labels = ownLabels(60);
  const server = await startScriptedServer(({ path, query }, response) => {
    if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: "session-1" }, { sessionId: "session-2" }] });
    } else if (path.endsWith("GetLabel")) {
      const found = query["sessionId"] === "session-1" ? { nested: { a: 1 } } : labels;
      sendSuccess(response, { data: { labels: JSON.stringify(found) } });
    } else {
      sendSuccess(response, { data: { status: "FINISH" } });
    }
  });
  const { sweep } = await openSweep(server.url);
  const { exitCode, stdout } = await sweep("--yes");
  expect(stdout).toMatch(/^left: session-1 .*: unexpected reply to GetLabel/m);
  expect(stdout).toMatch(/^released: session-2 /m);
  expect(exitCode).toBe(2);
});

test("a list that fails half way leads to no release and exits with 1", async () => {
  const { emulator, make, running } = await openEmulator({ pageCap: 1 });
  await make(ownLabels(11));
  await make(ownLabels(11));
  emulator.addFault({ operation: "ListSession", calls: 2, answer: { status: 400 } });
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stderr } = await sweep("--yes");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("pulumi-agb sweep: AGB refused ListSession");
  expect(running()).toHaveLength(2);
});

test("a release that AGB refuses is reported, the others continue, and the exit code is 2", async () => {
  const { emulator, make, running } = await openEmulator();
  await make(ownLabels(11));
  await make(ownLabels(11));
  emulator.addFault({ operation: "releaseSessionAsync", calls: 1, answer: { status: 400 } });
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stdout } = await sweep("--yes");
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(/^left: .*AGB refused releaseSessionAsync/m);
  expect(running()).toHaveLength(1);
});

test("without a key it says how to set one", async () => {
  const { folder, state } = await openSweep("http://127.0.0.1:9");
  const { exitCode, stderr } = await runBounded(process.execPath, [command, "sweep", "--state", state], {
    directory: folder,
    environment: {},
    timeoutMs: 60_000,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("AGB_API_KEY");
});
