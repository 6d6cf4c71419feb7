// Which sessions the command `sweep` may release.

import { newCreateToken } from "../../provider/lifecycle/ownership";
import { testKey } from "../support/agb-emulator";
import { runBounded } from "../support/bounded-process";
import { hosts } from "../support/resource-hosts";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";
import {
  command,
  openEmulator,
  openSweep,
  otherStackId,
  ownLabels,
  stackId,
  stackOf,
  stateRow,
  stateWith,
  withoutStackId,
} from "../support/sweep-command";

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
    timeoutMs: 60_000,
  });
  expect(stdout).toMatch(
    new RegExp(`^left: ${ofOther} .*belongs to the repository github.com/repositories/99 \\[AGB621\\]$`, "m"),
  );
  expect(stdout).toContain(`released: ${ofOwn}`);
  expect(stdout).toContain(`released: ${unlabelled}`);
  expect(exitCode).toBe(2);
  expect(running()).toEqual([ofOther]);
});

describe("by hand, where the process knows no repository of its own,", () => {
  const [ours, theirs] = ["github.com/repositories/81", "github.com/repositories/99"];

  test("only the repositories of the state's own sessions may be touched", async () => {
    const { emulator, make, running } = await openEmulator();
    const known = await make(ownLabels(60, { "pulumi-repository": ours }));
    const ofOther = await make(ownLabels(60, { "pulumi-repository": theirs }));
    const ofOwn = await make(ownLabels(60, { "pulumi-repository": ours }));
    const rows = [
      stateRow(known, ownLabels(60, { "pulumi-repository": ours }), emulator.url),
      stateRow("session-x", ownLabels(60, { "pulumi-repository": theirs }), emulator.url, { external: true }),
    ];
    const { sweep } = await openSweep(emulator.url, stateWith(rows));
    const { exitCode, stdout } = await sweep("--yes");
    expect(stdout).toMatch(new RegExp(`^left: ${ofOther} .*belongs to the repository ${theirs} \\[AGB621\\]$`, "m"));
    expect(stdout).toContain(`released: ${ofOwn}`);
    expect(exitCode).toBe(2);
    expect(running().sort()).toEqual([known, ofOther].sort());
  });

  test("the stack's id alone decides when the state holds no session", async () => {
    const { emulator, make, running } = await openEmulator();
    await make(ownLabels(60, { "pulumi-repository": ours }));
    const foreign = await make(ownLabels(60, { "pulumi-repository": ours, "pulumi-stack-id": otherStackId }));
    const { sweep } = await openSweep(emulator.url);
    expect((await sweep("--yes")).exitCode).toBe(0);
    expect(running()).toEqual([foreign]);
  });
});

describe.each(hosts)("a stack of the same name in another backend, with the host %s,", (host) => {
  const { ownLabels, stateRow, stateWith } = stackOf(host);

  test("keeps its sessions, which are reported and do not count as left", async () => {
    const { emulator, make, running } = await openEmulator();
    const theirs = await make(ownLabels(60, { "pulumi-stack-id": otherStackId }));
    const orphan = await make(ownLabels(60));
    const { sweep } = await openSweep(emulator.url, stateWith([]));
    const { exitCode, stdout } = await sweep("--yes", "--older-than", "0s", "--include-unidentified");
    expect(stdout).toMatch(new RegExp(`^foreign: ${theirs} .*another stack of the same name.*${otherStackId}$`, "m"));
    expect(stdout).toContain(`released: ${orphan}`);
    expect(exitCode).toBe(0);
    expect(running()).toEqual([theirs]);
  });

  test("keeps them even when our state holds one of its sessions, taken over or looked up", async () => {
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

  test("is the only kind that a state without an id may release, and only with the flag", async () => {
    const { emulator, make, running } = await openEmulator();
    const identified = await make(ownLabels(60));
    await make(withoutStackId(ownLabels(60)));
    const { sweep } = await openSweep(emulator.url, stateWith([], ""));
    const { exitCode, stdout } = await sweep("--yes", "--include-unidentified");
    expect(exitCode).toBe(2);
    expect(running()).toEqual([identified]);
    expect(stdout).toContain(`no state was read that has its stack id, ${stackId} [AGB623]`);
    expect(stdout).toContain(`release its sessions with --stack-id ${stackId}`);
  });
});

describe("a session with the id of a provider of the plugin", () => {
  const { id, ownLabels, stateRow, stateWith } = stackOf("plugin");

  test.each([
    ["another project", { "pulumi-project": "store" }, "store/dev"],
    ["another stack", { "pulumi-stack": "development" }, "shop/development"],
  ])("and the name of %s is left, because `pulumi state move` copies the id", async (_, names, owner) => {
    const { emulator, make, running } = await openEmulator();
    const moved = await make(ownLabels(60, names));
    const orphan = await make(ownLabels(60));
    const { sweep } = await openSweep(emulator.url, stateWith([]));
    const { exitCode, stdout } = await sweep("--yes", "--older-than", "0s", "--include-unidentified");
    expect(stdout).toMatch(new RegExp(`^foreign: ${moved} .*: it belongs to ${owner}\\. .*--stack-id ${id}`, "m"));
    expect(stdout).toContain(`released: ${orphan}`);
    expect(exitCode).toBe(0);
    expect(running()).toEqual([moved]);
    expect((await sweep("--yes", "--stack-id", id)).exitCode).toBe(0);
    expect(running()).toEqual([]);
  });

  test("that a later version of the plugin has replaced is released while a session in the state has that id", async () => {
    const { emulator, make, running } = await openEmulator();
    const [known, orphan] = [await make(ownLabels(60)), await make(ownLabels(60))];
    const rows = (inputs: object) => [stateRow(known, ownLabels(60), emulator.url, { inputs })];
    const laterId = "b6557934-dcb7-49e9-82ca-a1dcc0930a1d";
    const unproven = await openSweep(emulator.url, stateWith(rows({}), laterId));
    expect((await unproven.sweep("--yes")).exitCode).toBe(0);
    expect(running().sort()).toEqual([known, orphan].sort());
    const proven = await openSweep(emulator.url, stateWith(rows({ stackId: id }), laterId));
    expect((await proven.sweep("--yes")).stdout).toContain(`released: ${orphan}`);
    expect(running()).toEqual([known]);
  });
});

test("a stack that moves from one host to the other has the ids of both", async () => {
  const { emulator, make, running } = await openEmulator();
  const [ofDynamic, ofPlugin] = [stackOf("dynamic"), stackOf("plugin")];
  const kept = [await make(ofDynamic.ownLabels(60)), await make(ofPlugin.ownLabels(60))];
  await make(ofDynamic.ownLabels(60));
  await make(ofPlugin.ownLabels(60));
  const [dynamicState, pluginState] = [ofDynamic.exportOf(kept.slice(0, 1)), ofPlugin.exportOf(kept.slice(1))];
  const resources = [dynamicState, pluginState].flatMap((text) => JSON.parse(text).deployment.resources);
  const { sweep } = await openSweep(emulator.url, JSON.stringify({ version: 3, deployment: { resources } }));
  expect((await sweep("--yes")).exitCode).toBe(0);
  expect(running().sort()).toEqual(kept.sort());
});

test("sessions of a renamed stack are found by its id", async () => {
  const { emulator, make, running } = await openEmulator();
  await make(ownLabels(60, { "pulumi-stack": "development", "pulumi-project": "store" }));
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stdout } = await sweep("--yes");
  expect({ exitCode, running: running() }).toEqual({ exitCode: 0, running: [] });
  expect(stdout).toMatch(/^released: /);
});

test("a session that its program retains is left and reported, and does not count as left over", async () => {
  const { emulator, make, running } = await openEmulator();
  const retained = await make(ownLabels(60, { "pulumi-retain": "true" }));
  const { sweep } = await openSweep(emulator.url);
  const { exitCode, stdout } = await sweep("--yes", "--older-than", "0s");
  expect(stdout).toMatch(new RegExp(`^retained: ${retained} .*label pulumi-retain \\(option retainOnDelete\\)$`, "m"));
  expect(exitCode).toBe(0);
  expect(running()).toEqual([retained]);
});

describe.each(hosts)("a twin, which has the create label of a session in the state, with the host %s,", (host) => {
  const { ownLabels, stateRow, stateWith } = stackOf(host);

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

  test("of a session that is only looked up is left, because the stack of that session may still create it", async () => {
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
  expect(stdout).toMatch(/^left: session-2 .*: its ownership labels changed during the sweep/m);
  expect({ exitCode, released }).toEqual({ exitCode: 2, released: 1 });
});

test("when the list does not filter, nothing is released", async () => {
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
