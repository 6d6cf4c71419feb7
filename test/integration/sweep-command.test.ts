import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { runBounded } from "../support/bounded-process";
import { createId } from "../support/emulator-requests";
import { makeTemporaryFolder, repositoryRoot } from "../support/node-process";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";

const command = join(repositoryRoot, "dist", "cli", "main.js");
const stackRow = { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type: "pulumi:pulumi:Stack" };
const sessionType = "pulumi-nodejs:dynamic/agb:AgbSession";
const identityType = "pulumi-nodejs:dynamic/agb:AgbStackIdentity";
const stackId = "0123456789abcdef";
const otherStackId = "fedcba9876543210";

/** Labels of a session of shop/dev that was created so many minutes ago. */
function ownLabels(minutesOld: number, more: Record<string, string> = {}): Record<string, string> {
  return {
    "pulumi-project": "shop",
    "pulumi-stack": "dev",
    "pulumi-stack-id": stackId,
    "pulumi-resource": "web",
    "pulumi-create": newCreateToken(new Date(Date.now() - minutesOld * 60_000)),
    ...more,
  };
}

/** The labels without the stack's id, as an earlier version set them. */
function withoutStackId({ "pulumi-stack-id": _, ...labels }: Record<string, string>): Record<string, string> {
  return labels;
}

/** A session in a state. */
function row(id: string, more: Record<string, unknown> = {}) {
  return { urn: `urn:pulumi:dev::shop::${sessionType}::${id}`, type: sessionType, id, ...more };
}

/** A session in a state, with its labels and where it was created. */
function stateRow(id: string, labelsAll: Record<string, string>, service: string, more: Record<string, unknown> = {}) {
  return row(id, { outputs: { labelsAll, service }, ...more });
}

/** An exported state with these resources, and with the stack's id if it has one. */
function stateWith(resources: readonly object[], id: string | undefined = stackId, stack = stackRow): string {
  const identity = { urn: `urn:pulumi:dev::shop::${identityType}::agb`, type: identityType, id };
  return JSON.stringify({
    version: 3,
    deployment: { resources: [stack, ...(id === undefined ? [] : [identity]), ...resources] },
  });
}

/** An exported state that knows these sessions. */
function exportOf(sessionIds: readonly string[], stack = stackRow): string {
  return stateWith(
    sessionIds.map((id) => row(id)),
    stackId,
    stack,
  );
}

/** A folder with a state file, and the command run in it against an AGB. */
async function openSweep(url: string, stateText = exportOf([])) {
  const folder = await makeTemporaryFolder();
  const state = join(folder, "state.json");
  await writeFile(state, stateText);
  const run = (parameters: readonly string[], path = dirname(process.execPath)) =>
    runBounded(process.execPath, [command, "sweep", ...parameters], {
      directory: folder,
      environment: { PATH: path, AGB_API_KEY: testKey, AGB_ENDPOINT: url },
      timeoutMs: 20_000,
    });
  return { folder, state, run, sweep: (...parameters: string[]) => run(["--state", state, ...parameters]) };
}

async function openEmulator(options = {}) {
  const emulator = await startTestEmulator(options);
  const make = (labels: Record<string, string>) => createId(emulator.url, labels, {}, testKey);
  const running = () => emulator.sessions().map(({ sessionId }) => sessionId);
  return { emulator, make, running };
}

test("without --yes it shows what it would release, does nothing and exits with 2", async () => {
  const { emulator, make, running } = await openEmulator();
  const orphan = await make(ownLabels(11));
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stdout, stderr } = await sweep();
  expect(stdout).toMatch(new RegExp(`^would release: ${orphan} \\(web, created 20\\S+Z\\)\n`));
  expect(stdout).toContain("Nothing was released; add --yes to do it.");
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: "" });
  expect(running()).toEqual([orphan]);
});

test("with --yes it releases orphans and only them, and exits with 0", async () => {
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

test("a session of another repository with the same names is left", async () => {
  const { emulator, make, running } = await openEmulator();
  const ofOther = await make(ownLabels(11, { "pulumi-repository": "github.com/repositories/99" }));
  const ofOwn = await make(ownLabels(11, { "pulumi-repository": "github.com/repositories/81" }));
  const unlabelled = await make(ownLabels(11));
  const { folder, state } = await openSweep(emulator.url);
  const { exitCode, stdout } = await runBounded(process.execPath, [command, "sweep", "--state", state, "--yes"], {
    directory: folder,
    environment: {
      AGB_API_KEY: testKey,
      AGB_ENDPOINT: emulator.url,
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_REPOSITORY_ID: "81",
      GITHUB_SERVER_URL: "https://github.com",
    },
    timeoutMs: 20_000,
  });
  expect(stdout).toMatch(new RegExp(`^left: ${ofOther} .*of the repository github.com/repositories/99$`, "m"));
  expect(stdout).toContain(`released: ${ofOwn}`);
  expect(stdout).toContain(`released: ${unlabelled}`);
  expect(exitCode).toBe(2);
  expect(running()).toEqual([ofOther]);
});

describe("a stack of the same name in another backend", () => {
  test("keeps its sessions, which are reported and do not count as left", async () => {
    const { emulator, make, running } = await openEmulator();
    const theirs = await make(ownLabels(60, { "pulumi-stack-id": otherStackId }));
    const orphan = await make(ownLabels(60));
    const { sweep } = await openSweep(emulator.url);
    const { exitCode, stdout } = await sweep("--yes", "--older-than", "0s", "--include-unidentified");
    expect(stdout).toMatch(new RegExp(`^foreign: ${theirs} .*another stack of the same name.*${otherStackId}$`, "m"));
    expect(stdout).toContain(`released: ${orphan}`);
    expect(exitCode).toBe(0);
    expect(running()).toEqual([theirs]);
  });

  test("keeps them also when our state holds one of its sessions, taken over or looked up", async () => {
    const { emulator, make, running } = await openEmulator();
    const theirLabels = ownLabels(60, { "pulumi-stack-id": otherStackId });
    const [inState, theirs] = [await make(theirLabels), await make(theirLabels)];
    const rows = [
      stateRow(inState, theirLabels, emulator.url),
      stateRow("session-x", theirLabels, emulator.url, { external: true }),
    ];
    const { sweep } = await openSweep(emulator.url, stateWith(rows));
    expect((await sweep("--yes", "--older-than", "0s")).exitCode).toBe(0);
    expect(running().sort()).toEqual([inState, theirs].sort());
  });
});

describe("a session without a stack id", () => {
  test("is left and reported, unless a flag includes it", async () => {
    const { emulator, make, running } = await openEmulator();
    const earlier = await make(withoutStackId(ownLabels(60)));
    const { sweep } = await openSweep(emulator.url);
    const { exitCode, stdout } = await sweep("--yes");
    expect(stdout).toMatch(new RegExp(`^left: ${earlier} .*: it carries no stack id`, "m"));
    expect(exitCode).toBe(2);
    expect(running()).toEqual([earlier]);
    expect((await sweep("--yes", "--include-unidentified")).exitCode).toBe(0);
    expect(running()).toEqual([]);
  });

  test("is all that a state without an id may release, and only with the flag", async () => {
    const { emulator, make, running } = await openEmulator();
    const identified = await make(ownLabels(60));
    await make(withoutStackId(ownLabels(60)));
    const { sweep } = await openSweep(emulator.url, stateWith([], ""));
    const { exitCode, stdout } = await sweep("--yes", "--include-unidentified");
    expect(exitCode).toBe(2);
    expect(running()).toEqual([identified]);
    expect(stdout).toContain(`no state was read that has its stack id ${stackId}`);
    expect(stdout).toContain(`release its sessions with --stack-id ${stackId}`);
  });
});

test("sessions of a renamed stack are found by its id", async () => {
  const { emulator, make, running } = await openEmulator();
  await make(ownLabels(60, { "pulumi-stack": "development", "pulumi-project": "store" }));
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stdout } = await sweep("--yes");
  expect({ exitCode, running: running() }).toEqual({ exitCode: 0, running: [] });
  expect(stdout).toMatch(/^released: /);
});

test("a session that its program retains is left, reported, and does not count as left over", async () => {
  const { emulator, make, running } = await openEmulator();
  const retained = await make(ownLabels(60, { "pulumi-retain": "true" }));
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stdout } = await sweep("--yes", "--older-than", "0s");
  expect(stdout).toMatch(new RegExp(`^retained: ${retained} .*label pulumi-retain \\(option retainOnDelete\\)$`, "m"));
  expect(exitCode).toBe(0);
  expect(running()).toEqual([retained]);
});

describe("a twin, which has the create label of a session in the state,", () => {
  test("is released at any age, unless it is retained", async () => {
    const { emulator, make, running } = await openEmulator();
    const [labels, retained] = [ownLabels(0), ownLabels(0, { "pulumi-retain": "true" })];
    const [known, twin] = [await make(labels), await make(labels)];
    const kept = [await make(retained), await make(retained), await make(ownLabels(0))];
    const rows = [stateRow(known, labels, emulator.url), stateRow(String(kept[0]), retained, emulator.url)];
    const { sweep } = await openSweep(emulator.url, stateWith(rows));
    const { stdout } = await sweep("--yes");
    expect(stdout).toContain(`released: ${twin}`);
    expect(running().sort()).toEqual([known, ...kept].sort());
  });

  test("of a session that is only looked up is left, because that one's stack may still create it", async () => {
    const { emulator, make, running } = await openEmulator();
    const labels = ownLabels(0);
    const [known, twin] = [await make(labels), await make(labels)];
    const external = stateRow(known, labels, emulator.url, { external: true });
    const { sweep } = await openSweep(emulator.url, stateWith([external]));
    expect((await sweep("--yes")).exitCode).toBe(2);
    expect(running().sort()).toEqual([known, twin].sort());
  });
});

test.each([
  ["another stack", { "pulumi-stack": "production", "pulumi-stack-id": otherStackId }],
  ["another resource", { "pulumi-resource": "db" }],
  ["another create", { "pulumi-create": newCreateToken(new Date()) }],
  ["itself, to be retained", { "pulumi-retain": "true" }],
])("a session that is relabelled to %s while the sweep waits for another release is left", async (_, more) => {
  const labels = ownLabels(60);
  let released = 0;
  const server = await startScriptedServer(({ path, query }, response) => {
    if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: "session-1" }, { sessionId: "session-2" }] });
    } else if (path.endsWith("GetLabel")) {
      const isRelabelled = released > 0 && query["sessionId"] === "session-2";
      sendSuccess(response, { data: { labels: JSON.stringify(isRelabelled ? { ...labels, ...more } : labels) } });
    } else if (path.endsWith("releaseSessionAsync")) {
      released += 1;
      sendSuccess(response, {});
    } else {
      sendSuccess(response, { data: { status: "FINISH" } });
    }
  });
  const { sweep } = await openSweep(server.url);
  const { exitCode, stdout } = await sweep("--yes");
  expect(stdout).toMatch(/^released: session-1/m);
  expect(stdout).toMatch(/^left: session-2 .*: its owner's labels changed a moment ago/m);
  expect({ exitCode, released }).toEqual({ exitCode: 2, released: 1 });
});

test("where nothing is unknown it says so and exits with 0", async () => {
  const { emulator, make } = await openEmulator();
  const { sweep } = await openSweep(emulator.url, exportOf([await make(ownLabels(60))]));
  expect(await sweep("--yes")).toEqual({
    exitCode: 0,
    stdout: "No session of shop/dev is unknown to its state.\n",
    stderr: "",
  });
});

test("young ones and those of unknown age are left, with the reason, and the exit code is 2", async () => {
  const { emulator, make, running } = await openEmulator();
  const young = await make(ownLabels(8));
  const ageless = await make(ownLabels(60, { "pulumi-create": "yesterday" }));
  const { "pulumi-create": _, ...unmarked } = ownLabels(60);
  const nameless = await make(unmarked);
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stdout } = await sweep("--yes");
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(new RegExp(`^left: ${young} .*: it is younger than 10 minutes \\(--older-than\\).*$`, "m"));
  expect(stdout).toMatch(new RegExp(`^left: ${ageless} .*: its age is unknown$`, "m"));
  expect(stdout).toMatch(new RegExp(`^left: ${nameless} .*: its age is unknown$`, "m"));
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
  expect(stderr).toContain("Write it as 90s, 10m or 2h.");
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
  "what another tool wrote into a label acts neither on a terminal nor on a CI system: %s",
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
    reason: expect.stringMatching(/^it is younger than 10 minutes \(--older-than\)/),
  });
});

test("a list that does not filter leads to no release", async () => {
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: "session-1" }, { sessionId: "session-2" }] });
    } else {
      sendSuccess(response, { data: { labels: JSON.stringify({ team: "web", "pulumi-project": "shop" }) } });
    }
  });
  const { sweep } = await openSweep(server.url);
  expect((await sweep("--yes", "--older-than", "0s")).exitCode).toBe(0);
  const look = ["ListSession", "GetLabel", "GetLabel"];
  expect(server.operations()).toEqual([...look, ...look]);
});

test("a service where the stack has no session is refused: it would know of nothing that is left", async () => {
  const { emulator, make, running } = await openEmulator();
  const orphan = await make(ownLabels(60));
  const rows = [stateRow("session-1", ownLabels(60), "http://127.0.0.1:9")];
  const { sweep } = await openSweep(emulator.url, stateWith(rows));
  const { exitCode, stderr } = await sweep("--yes");
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`were created at http://127.0.0.1:9, but ${emulator.url} was asked. Nothing was released.`);
  expect(running()).toEqual([orphan]);
});

test("one session whose labels cannot be read is left, and the others go", async () => {
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

test("a list that breaks off leads to no release and exits with 1", async () => {
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

test("a release that AGB refuses is told, the others go on, and the exit code is 2", async () => {
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

describe("a state that must not decide", () => {
  async function refused(stateText: string, ...parameters: string[]) {
    const { emulator, make, running } = await openEmulator();
    await make(ownLabels(60));
    const { sweep } = await openSweep(emulator.url, stateText);
    const { exitCode, stderr } = await sweep("--yes", ...parameters);
    expect(exitCode).toBe(1);
    expect(running()).toHaveLength(1);
    expect(emulator.requestCounts()).toEqual({ createSession: 1 });
    return stderr;
  }

  test.each([
    [["--stack", "production"], "not of shop/production"],
    [["--stack", "acme/shop/production"], "not of shop/production"],
    [["--project", "bank"], "not of bank/dev"],
  ])("is that of another stack than %j", async (parameters, reason) => {
    const text = await refused(exportOf([]), ...(parameters as string[]));
    expect(text).toContain(`the state is that of shop/dev, ${reason}`);
  });

  test.each(["", "{}", "oops"])("is broken: %j", async (text) => {
    expect(await refused(text, "--stack", "dev", "--project", "shop")).toContain(
      "state.json cannot be used: it is not",
    );
  });

  test("is empty and names no stack", async () => {
    const text = await refused('{"version":3,"deployment":{}}');
    expect(text).toContain("the stack is not known; add --project NAME and --stack NAME");
  });
});

test("a state file that is not there is named", async () => {
  const { run } = await openSweep("http://127.0.0.1:9");
  const { exitCode, stderr } = await run(["--state", "missing.json"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("the state file missing.json cannot be used");
});

describe("the state that the Pulumi CLI gives", () => {
  /** A stand-in for `pulumi` that answers what a test tells it. */
  async function pulumiThat(folder: string, script: string): Promise<string> {
    const path = join(folder, "pulumi");
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return [folder, process.env["PATH"] ?? ""].join(delimiter);
  }

  test("is read for the stack that is named", async () => {
    const { emulator, make, running } = await openEmulator();
    const known = await make(ownLabels(60));
    await make(ownLabels(60));
    const { run, folder } = await openSweep(emulator.url, exportOf([known]));
    const path = await pulumiThat(
      folder,
      'echo "$*" >>calls; if [ "$1" = config ]; then echo {}; else cat state.json; fi',
    );
    const { exitCode } = await run(["--yes", "--stack", "dev"], path);
    expect(exitCode).toBe(0);
    expect(running()).toEqual([known]);
    expect(await readFile(join(folder, "calls"), "utf8")).toBe(
      "stack export --non-interactive --stack dev\nconfig --json --show-secrets --stack dev --non-interactive\n",
    );
  });

  test("comes with the stack's configuration, which wins over the environment as it does for `pulumi up`", async () => {
    const { emulator, make, running } = await openEmulator();
    await make(ownLabels(60));
    const { folder } = await openSweep(emulator.url);
    const config = { "agb:endpoint": { value: emulator.url }, "agb:apiKey": { value: testKey, secret: true } };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    const path = await pulumiThat(folder, 'if [ "$1" = config ]; then cat config.json; else cat state.json; fi');
    const { exitCode, stdout } = await runBounded(process.execPath, [command, "sweep", "--yes"], {
      directory: folder,
      environment: { PATH: path, AGB_API_KEY: "another-key", AGB_ENDPOINT: "http://127.0.0.1:9" },
      timeoutMs: 20_000,
    });
    expect(stdout).toMatch(/^released: /);
    expect(exitCode).toBe(0);
    expect(running()).toEqual([]);
  });

  test("may be empty after a destroy: project and stack are then those of the folder", async () => {
    const { emulator, make, running } = await openEmulator();
    const leftOver = await make(ownLabels(60));
    const { run, folder } = await openSweep(emulator.url);
    await writeFile(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
    const path = await pulumiThat(
      folder,
      'case "$*" in config*) echo {} ;; *show-name*) echo acme/dev ;; *) echo \'{"version":3,"deployment":{}}\' ;; esac',
    );
    const { exitCode, stdout } = await run(["--yes"], path);
    expect(stdout).toContain(`left: ${leftOver}`);
    expect(stdout).toContain(`release its sessions with --stack-id ${stackId}`);
    expect(exitCode).toBe(2);
    expect(running()).toEqual([leftOver]);
  });

  test("is missing: nothing is released, and the message says what to do when the stack was removed", async () => {
    const { emulator, make, running } = await openEmulator();
    await make(ownLabels(60));
    const { run, folder } = await openSweep(emulator.url);
    const path = await pulumiThat(folder, "echo \"error: no stack named 'dev' found\" >&2; exit 1");
    const { exitCode, stderr } = await run(["--yes", "--stack", "dev"], path);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("no stack named 'dev' found");
    expect(stderr).toContain("say --stack-is-gone when the stack was removed");
    expect(running()).toHaveLength(1);
  });

  test("is not asked for with --stack-is-gone, which releases only the sessions of a stack id that is named", async () => {
    const { emulator, make, running } = await openEmulator();
    await make(ownLabels(60));
    const live = await make(ownLabels(60, { "pulumi-stack-id": otherStackId }));
    const { run, folder } = await openSweep(emulator.url);
    await writeFile(join(folder, "Pulumi.yaml"), 'name: "shop"\nruntime: nodejs\n');
    const path = await pulumiThat(folder, "touch asked; exit 1");
    const isGone = ["--yes", "--stack-is-gone", "--stack", "dev"];
    const unnamed = await run(isGone, path);
    expect(unnamed.exitCode).toBe(2);
    expect(unnamed.stdout).toContain(`release its sessions with --stack-id ${stackId}`);
    expect(unnamed.stdout).toContain(`release its sessions with --stack-id ${otherStackId}`);
    expect(running()).toHaveLength(2);
    const { exitCode, stderr } = await run([...isGone, "--stack-id", stackId], path);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(running()).toEqual([live]);
    expect(await readdir(folder)).not.toContain("asked");
  });

  test.each(["dev", "0123456789ABCDEF", ""])("a stack id %j is refused", async (id) => {
    const { sweep } = await openSweep("http://127.0.0.1:9");
    const { exitCode, stderr } = await sweep("--stack-id", id);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("It is not the id of a stack: 16 hexadecimal digits.");
  });

  test("and --stack-is-gone exclude a state file", async () => {
    const { sweep } = await openSweep("http://127.0.0.1:9");
    const { exitCode, stderr } = await sweep("--stack-is-gone");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("cannot be used with");
  });
});

test("without a key it says how to give one", async () => {
  const { folder, state } = await openSweep("http://127.0.0.1:9");
  const { exitCode, stderr } = await runBounded(process.execPath, [command, "sweep", "--state", state], {
    directory: folder,
    environment: {},
    timeoutMs: 20_000,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("AGB_API_KEY");
});
