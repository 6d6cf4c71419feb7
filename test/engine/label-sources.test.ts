// Where labels come from, besides the program's own strings: the stack's default labels and other resources' outputs.

import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

jest.setTimeout(600_000);

function program(labels: Record<string, string>): string {
  return `
    const { AgbSession } = require("pulumi-agb");
    const first = new AgbSession("first", { imageId: "agb-code-space-1", labels: { team: "own" } });
    const peer = new AgbSession("peer", { imageId: "agb-code-space-1", labels: { peer: first.sessionId } });
    const map = new AgbSession("map", {
      imageId: "agb-code-space-1",
      labels: first.appInstanceId.apply((instance) => ({ instance, kind: "computed" })),
    });
    const strict = new AgbSession(
      "strict",
      { imageId: "agb-code-space-1", labels: ${JSON.stringify(labels)} },
      { replaceOnChanges: ["labels"] },
    );
    exports.sessionIds = {
      first: first.sessionId, peer: peer.sessionId, map: map.sessionId, strict: strict.sessionId,
    };
  `;
}

test("labels from other resources, default labels from the stack, and replaceOnChanges all work", async () => {
  const emulator = await startTestEmulator();
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(program({ release: "1" })),
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
    }),
  );
  const labelsById = () => new Map(emulator.sessions().map(({ sessionId, labels }) => [sessionId, labels]));

  // The preview does not know one label's value, nor the whole map.
  await project.configure({ "agb:defaultLabels.team": "web", "agb:defaultLabels.cost": "12" });
  expect((await project.succeed("preview")).stdout).toMatch(/6 to create/);
  expect(emulator.sessions()).toEqual([]);
  await project.up();
  const { sessionIds } = await project.outputs();
  const instance = emulator.sessions().find(({ sessionId }) => sessionId === sessionIds.first)?.appInstanceId;
  const defaults = { team: "web", cost: "12" };
  expect(labelsById().get(sessionIds.first)).toMatchObject({ team: "own", cost: "12" });
  expect(labelsById().get(sessionIds.peer)).toMatchObject({ ...defaults, peer: sessionIds.first });
  expect(labelsById().get(sessionIds.map)).toMatchObject({ ...defaults, instance, kind: "computed" });

  // New default labels do not change `labels`, so they are set in place even when a change of `labels` replaces.
  await project.configure({ "agb:defaultLabels.cost": "34" });
  const preview = await project.succeed("preview", "--diff");
  expect(preview.stdout).toMatch(/cost *: "12" => "34"/);
  expect(preview.stdout).toMatch(/4 to update/);
  expect(changesIn((await project.up()).stdout)).toEqual({ updated: 4, unchanged: 2 });
  expect(await project.outputs()).toEqual({ sessionIds });
  for (const labels of labelsById().values()) {
    expect(labels).toMatchObject({ cost: "34" });
  }

  // Only this session asked to be replaced when its labels change.
  await project.write("index.js", program({ release: "2" }));
  expect(changesIn((await project.up()).stdout)).toEqual({ replaced: 1, unchanged: 5 });
  const replaced = (await project.outputs())["sessionIds"];
  expect({ ...replaced, strict: "" }).toEqual({ ...sessionIds, strict: "" });
  expect(replaced.strict).not.toBe(sessionIds.strict);
  expect(labelsById().get(replaced.strict)).toMatchObject({ release: "2", cost: "34" });
  expect(emulator.sessions()).toHaveLength(4);
});
