// The examples, each with the package as npm installs it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EmulatorOptions } from "../../provider/emulator";
import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { ask, runShell } from "../support/emulator-requests";
import { type PackedPackage, packPackage } from "../support/packed-package";
import { createPulumiProject, type PulumiProject } from "../support/pulumi-project";
import { changesIn, resourceTexts } from "../support/stack-state";

jest.setTimeout(600_000);

const minuteMs = 60_000;

let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
}, 600_000);

afterAll(() => packed?.close());

test.each([
  { kind: "a TypeScript", example: "labelled-sessions", sessions: ["browser", "web"] },
  { kind: "a CommonJS JavaScript", example: "javascript-commonjs", sessions: ["web"] },
  { kind: "an ES module JavaScript", example: "javascript-module", sessions: ["web"] },
])(
  "$kind program works with the packed package: up, nothing to do, refresh, destroy",
  async ({ example, sessions }) => {
    const { emulator, project } = await openExample(example);
    expect(changesIn((await project.up()).stdout)).toEqual({ created: sessions.length + 2 });
    const { sessionIds, labels } = await project.outputs();
    expect(Object.keys(sessionIds).sort()).toEqual(sessions);
    expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual(
      expect.arrayContaining(Object.values(sessionIds)),
    );
    expect(labels.web).toEqual({ project: "shop", environment: "test", team: "storefront" });

    await project.succeed("preview", "--expect-no-changes");
    await expectNothingToDo(project, sessions.length);
    await project.destroy();
    expect(emulator.sessions()).toEqual([]);
    expect(emulator.requestCounts().createSession).toBe(sessions.length);
  },
);

// The calls are those in the example's README, apart from those for commands and for waiting, which depend on time.
test("a preview environment runs its app, follows each push, comes back with its data when AGB released it, and is closed", async () => {
  const { emulator, project } = await openExample("preview-environment", {
    allowExec: true,
    apiKeys: [testKey, "test-key"],
  });
  const callsOf = async (work: () => Promise<unknown>) => {
    const before = emulator.requestCounts();
    await work();
    return difference(emulator.requestCounts(), before);
  };
  const timelessCallsOf = async (work: () => Promise<unknown>) => {
    const { mcp: _, getSessionInfo: __, GetContextInfo: ___, ...calls } = await callsOf(work);
    return calls;
  };
  const push = (...config: string[]) => project.up("--refresh", ...config.flatMap((pair) => ["--config", pair]));
  const visit = async () => {
    const { sessionId } = await project.outputs();
    const { body } = await ask(emulator.url, "GET", "/internet/getLink", { query: { sessionId, port: "30100" } });
    return (await fetch(body.data.url)).text();
  };
  const labels = { project: "preview-environment", environment: "pr-12", request: "12", team: "storefront" };

  // The stack, its identity and Pulumi's provider; the component with context, session, files, setup and app.
  const opened = await timelessCallsOf(async () => {
    expect(changesIn((await push("preview:request=12")).stdout)).toEqual({ created: 8 });
  });
  expect(opened).toEqual({ ListSession: 1, GetContext: 2, createSession: 1 });
  const { sessionId, ...others } = await project.outputs();
  expect(others).toEqual({ labels });
  expect(emulator.sessions()).toEqual([
    expect.objectContaining({ sessionId, labels: expect.objectContaining(labels) }),
  ]);
  expect(await visit()).toBe("Hello! This is visit 1.\n");
  await expectNothingToDo(project, 6);
  const started = () => runShell(emulator.url, sessionId, "cat .pulumi-agb-app/process").then(({ stdout }) => stdout);
  const firstProcess = await started();

  const relabelled = await callsOf(() => push("preview:request=12", "preview:commit=9f3c2e1"));
  expect(relabelled).toEqual({
    ListSession: 1,
    getMcpResource: 1,
    GetLabel: 2,
    SetLabel: 1,
    GetContext: 1,
    mcp: 1,
  });
  const unchanged = await callsOf(() => push("preview:request=12", "preview:commit=9f3c2e1"));
  expect(unchanged).toEqual({ ListSession: 1, getMcpResource: 1, GetLabel: 1, GetContext: 1, mcp: 1 });
  expect(await project.outputs()).toEqual({ sessionId, labels: { ...labels, commit: "9f3c2e1" } });
  expect(await visit()).toBe("Hello! This is visit 2.\n");
  expect(await started()).toBe(firstProcess);

  const server = await readFile(join(project.directory, "app", "server.js"), "utf8");
  await project.write("app/server.js", server.replace("Hello!", "Good day!"));
  const changed = await timelessCallsOf(() => push("preview:request=12", "preview:commit=1234567"));
  expect(changed).toEqual({ ListSession: 1, GetContext: 1, getMcpResource: 1, GetLabel: 2, SetLabel: 1 });
  expect(await project.outputs()).toEqual({ sessionId, labels: { ...labels, commit: "1234567" } });
  expect(await visit()).toBe("Good day! This is visit 3.\n");

  await emulator.advanceClock(29 * minuteMs);
  expect(emulator.sessions()).toHaveLength(1);
  await emulator.advanceClock(minuteMs);
  expect(emulator.sessions()).toEqual([]);
  const recreated = await timelessCallsOf(() => push());
  expect(recreated).toEqual({ ListSession: 1, GetContext: 1, createSession: 1, getMcpResource: 1, GetLabel: 1 });
  expect((await project.outputs())["sessionId"]).not.toBe(sessionId);
  expect(await visit()).toBe("Good day! This is visit 4.\n");

  const closed = await timelessCallsOf(() => project.destroy("--refresh"));
  expect(closed).toEqual({
    GetContext: 3,
    getMcpResource: 1,
    GetLabel: 1,
    SyncContext: 1,
    releaseSessionAsync: 1,
    DeleteContext: 1,
  });
  expect(emulator.sessions()).toEqual([]);
  expect(emulator.contexts()).toEqual([]);
});

// The steps are those that the README of the example tells.
test("files of a persistent sandbox outlive its sessions, and destroy deletes them only when the stack says so", async () => {
  const { emulator, project } = await openExample("persistent-sandbox", {
    allowExec: true,
    apiKeys: [testKey, "test-key"],
  });
  const shell = async (command: string) => {
    const outputs = await project.outputs();
    return (await runShell(emulator.url, outputs["sessionIds"].sandbox, command)).stdout;
  };
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 4 });
  const { sessionIds, context } = await project.outputs();
  expect(emulator.contexts()).toMatchObject([{ contextId: context.id, name: "persistent-sandbox-test" }]);
  await expectNothingToDo(project, 2);

  await shell("echo kept > /home/user/work/started");
  await emulator.advanceClock(5 * minuteMs);
  expect(emulator.sessions()).toEqual([]);
  expect(changesIn((await project.up()).stdout)).toMatchObject({ created: 1, unchanged: 3 });
  expect(await project.outputs()).not.toMatchObject({ sessionIds });
  expect(await shell("cat /home/user/work/started")).toBe("kept\n");

  const refused = await project.run("destroy", "--yes", "--skip-preview");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stdout + refused.stderr).toContain(`context ${context.id} holds 1 file. Nothing was deleted.`);
  expect(emulator.sessions()).toEqual([]);
  expect(emulator.contexts()).toMatchObject([{ files: [{ path: "/home/user/work/started" }] }]);

  const isContext = ({ type }: { readonly type: string }) => type.endsWith("AgbContext");
  const { urn = "" } = (await project.exportState()).deployment.resources?.find(isContext) ?? {};
  await project.succeed("state", "delete", urn, "--yes");
  await project.destroy();
  expect(emulator.contexts()).toHaveLength(1);
  const program = await readFile(join(project.directory, "index.ts"), "utf8");
  await project.write("index.ts", program.replace("forceDestroy:", "adopt: true, forceDestroy:"));
  await project.up();
  expect(await project.outputs()).toMatchObject({ context });
  expect(await shell("cat /home/user/work/started")).toBe("kept\n");

  await project.configure({ "sandbox:deleteFiles": "true" });
  await project.up();
  expect(await shell("cat /home/user/work/started")).toBe("kept\n");
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
  expect(emulator.contexts()).toEqual([]);
});

async function openExample(example: string, options: EmulatorOptions = {}) {
  const emulator = await startTestEmulator(options);
  const project = closeAfterTest(
    await createPulumiProject({
      example,
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
      install: packed.install,
    }),
  );
  return { emulator, project };
}

/** Fails unless an update and a refresh both leave the stack and its sessions unchanged. */
async function expectNothingToDo(project: PulumiProject, sessionCount: number): Promise<void> {
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: sessionCount + 2 });
  const before = resourceTexts(await project.exportState());
  await project.refresh("--expect-no-changes");
  expect(resourceTexts(await project.exportState())).toEqual(before);
}

function difference(after: Partial<Record<string, number>>, before: Partial<Record<string, number>>) {
  const counts = Object.entries(after).map(([operation, count = 0]) => [operation, count - (before[operation] ?? 0)]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}
