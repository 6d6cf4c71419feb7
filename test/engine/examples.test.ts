// The examples, each with the package as npm would install it.

import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { type PackedPackage, packPackage } from "../support/packed-package";
import { createPulumiProject, type PulumiProject } from "../support/pulumi-project";
import { changesIn, resourceTexts } from "../support/stack-state";

jest.setTimeout(180_000);

let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
}, 120_000);

afterAll(() => packed?.close());

test.each([
  { kind: "a TypeScript", example: "labelled-sessions", sessions: ["browser", "web"] },
  { kind: "a CommonJS JavaScript", example: "javascript-commonjs", sessions: ["web"] },
  { kind: "an ES module JavaScript", example: "javascript-module", sessions: ["web"] },
])(
  "$kind program works with the packed package: up, nothing to do, refresh, destroy",
  async ({ example, sessions }) => {
    const { emulator, project } = await openExample(example);
    expect(changesIn((await project.up()).stdout)).toEqual({ created: sessions.length + 1 });
    const { sessionIds, labels } = await project.outputs();
    expect(Object.keys(sessionIds).sort()).toEqual(sessions);
    expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual(
      expect.arrayContaining(Object.values(sessionIds)),
    );
    expect(labels.web).toEqual({ project: "shop", environment: "test", team: "storefront" });

    await expectNothingToDo(project, sessions.length);
    await project.destroy();
    expect(emulator.sessions()).toEqual([]);
    expect(emulator.requestCounts().createSession).toBe(sessions.length);
  },
);

test("a preview environment costs the calls that its README tells, push by push", async () => {
  const { emulator, project } = await openExample("preview-environment");
  const callsOf = async (work: () => Promise<unknown>) => {
    const before = emulator.requestCounts();
    await work();
    return difference(emulator.requestCounts(), before);
  };
  const push = (commit: string) =>
    project.up("--refresh", "--config", "preview:request=12", "--config", `preview:commit=${commit}`);
  const labelsOf = (commit: string) => ({
    project: "preview-environment",
    environment: "pr-12",
    request: "12",
    commit,
  });

  console.log("first", await callsOf(() => push("9f3c2e1")));
  const { sessionIds, ...others } = await project.outputs();
  expect(others).toEqual({ labels: { sandbox: labelsOf("9f3c2e1") } });
  expect(emulator.sessions()).toEqual([
    expect.objectContaining({
      sessionId: sessionIds.sandbox,
      labels: expect.objectContaining(labelsOf("9f3c2e1")),
      idleTimeoutSeconds: 1800,
    }),
  ]);
  const { deployment } = await project.exportState();
  expect(deployment.resources).toHaveLength(3);
  console.log("nothing", await callsOf(() => expectNothingToDo(project, 1)));
  console.log("same", await callsOf(() => push("9f3c2e1")));

  console.log("push", await callsOf(() => push("1234567")));
  expect(await project.outputs()).toEqual({ sessionIds, labels: { sandbox: labelsOf("1234567") } });
  await emulator.release(sessionIds.sandbox);
  console.log("gone", await callsOf(() => push("1234567")));
  expect((await project.outputs()).sessionIds).not.toEqual(sessionIds);

  console.log("close", await callsOf(() => project.destroy("--refresh")));
  expect(emulator.sessions()).toEqual([]);
});

test("a preview environment that is made by hand carries no commit", async () => {
  const { emulator, project } = await openExample("preview-environment");
  const { exitCode, stdout } = await project.run("preview");
  expect(exitCode).not.toBe(0);
  expect(stdout).toContain("pulumi config set preview:request");
  await project.configure({ "preview:request": "7" });
  await project.up();
  expect((await project.outputs()).labels.sandbox).toEqual({
    project: "preview-environment",
    environment: "pr-7",
    request: "7",
  });
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
});

async function openExample(example: string) {
  const emulator = await startTestEmulator();
  const project = closeAfterTest(
    await createPulumiProject({
      example,
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
      install: packed.install,
    }),
  );
  return { emulator, project };
}

/** Fails unless a preview, an update and a refresh all leave the stack with its sessions as it is. */
async function expectNothingToDo(project: PulumiProject, sessionCount: number): Promise<void> {
  await project.succeed("preview", "--expect-no-changes");
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: sessionCount + 1 });
  const before = resourceTexts(await project.exportState());
  await project.refresh("--expect-no-changes");
  expect(resourceTexts(await project.exportState())).toEqual(before);
}

function difference(after: Partial<Record<string, number>>, before: Partial<Record<string, number>>) {
  const counts = Object.entries(after).map(([operation, count = 0]) => [operation, count - (before[operation] ?? 0)]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}
