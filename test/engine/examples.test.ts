// The examples, each with the package as npm would install it.

import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { type PackedPackage, packPackage } from "../support/packed-package";
import { createPulumiProject } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

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
])("$kind program works with the packed package: up, up unchanged, destroy", async ({ example, sessions }) => {
  const emulator = await startTestEmulator();
  const project = closeAfterTest(
    await createPulumiProject({
      example,
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
      install: packed.install,
    }),
  );
  expect(changesIn((await project.up()).stdout)).toEqual({ created: sessions.length + 1 });
  const { sessionIds, labels } = await project.outputs();
  expect(Object.keys(sessionIds).sort()).toEqual(sessions);
  expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual(
    expect.arrayContaining(Object.values(sessionIds)),
  );
  expect(labels.web).toEqual({ project: "shop", environment: "test", team: "storefront" });

  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: sessions.length + 1 });
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
  expect(emulator.requestCounts().createSession).toBe(sessions.length);
});
