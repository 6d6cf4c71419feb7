// Files in sessions, with the real engine. Engine runs are dear, so each test is a long story.

import { join } from "node:path";
import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { runShell } from "../support/emulator-requests";
import { createPulumiProject } from "../support/pulumi-project";
import { changesIn, resourceTexts } from "../support/stack-state";

jest.setTimeout(600_000);

const password = "correct-horse-battery";

// The steps are those that the README of the example tells.
test("the files of a session are put, compared, updated, repaired, put again after a release, and removed", async () => {
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], allowExec: true });
  const project = closeAfterTest(
    await createPulumiProject({
      example: "files",
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
    }),
  );
  await project.configure({ "files:password": { secret: password } });
  const shell = async (command: string) => {
    const { sessionIds } = await project.outputs();
    return (await runShell(emulator.url, sessionIds.sandbox, command)).stdout;
  };

  expect(changesIn((await project.up()).stdout)).toMatchObject({ created: 5 });
  expect(await shell("app/greet.sh")).toBe("Hello, Ada.\nHello, Grace.\n");
  expect(await shell("cat config.json; stat -c %a config.json app/greet.sh app/names.txt")).toBe(
    `{"password":"${password}"}600\n755\n644\n`,
  );
  const { appHash } = await project.outputs();
  expect(appHash).toMatch(/^[0-9a-f]{64}$/);

  // Pulumi encrypts secrets again with each run.
  const state = async () =>
    Object.entries(resourceTexts(await project.exportState()))
      .map(([, text]) => text.replaceAll(/v1:[\w+/=:]+/g, "encrypted"))
      .sort();
  const before = await state();
  const calls = () => emulator.requestCounts().mcp ?? 0;
  const callsBefore = calls();
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 5 });
  await project.refresh("--expect-no-changes");
  // One call compares each resource. To write anything takes more.
  expect(calls() - callsBefore).toBe(4);
  expect(await state()).toEqual(before);

  await project.write("app/names.txt", "Ada\nGrace\nKatherine\n");
  expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 4 });
  expect(await shell("app/greet.sh")).toBe("Hello, Ada.\nHello, Grace.\nHello, Katherine.\n");
  expect((await project.outputs())["appHash"]).not.toBe(appHash);
  await project.write("app/more.txt", "more\n");
  await project.up();
  expect(await shell("ls app")).toBe("greet.sh\nmore.txt\nnames.txt\n");
  await project.remove(join("app", "more.txt"));
  await project.up();
  expect(await shell("ls app")).toBe("greet.sh\nnames.txt\n");

  await shell("echo other >app/other; rm app/names.txt; chmod 644 config.json");
  const { stdout: drift } = await project.succeed("preview", "--diff");
  expect(drift).toMatch(/contentHash *: "[0-9a-f]{64}" => "[0-9a-f]{64}"/);
  expect(drift).toMatch(/permissions *: "0644" => "0600"/);
  expect(changesIn((await project.up()).stdout)).toEqual({ updated: 2, unchanged: 3 });
  expect(await shell("app/greet.sh; stat -c %a config.json; cat app/other")).toBe(
    "Hello, Ada.\nHello, Grace.\nHello, Katherine.\n600\nother\n",
  );

  await emulator.advanceClock(5 * 60_000);
  expect(emulator.sessions()).toEqual([]);
  expect(changesIn((await project.up()).stdout)).toMatchObject({ created: 1, replaced: 2 });
  expect(await shell("app/greet.sh; ls")).toBe("Hello, Ada.\nHello, Grace.\nHello, Katherine.\napp\nconfig.json\n");

  const { stdout: exported } = await project.succeed("stack", "export");
  expect(exported + project.transcript()).not.toContain(password);
  const { resources = [] } = (await project.exportState()).deployment;
  const { contentHash, source } = resources.find(({ urn }) => urn.endsWith("AgbFile::config"))?.outputs ?? {};
  expect([contentHash, source]).toEqual([
    expect.objectContaining({ ciphertext: expect.anything() }),
    expect.objectContaining({ ciphertext: expect.anything() }),
  ]);

  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
});
