// What happens in a replacement, and how the program's options change it.

import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";

jest.setTimeout(600_000);

function program(imageId: string, owner: string, options: Record<string, unknown> = {}): string {
  return `
    const { AgbSession } = require("pulumi-agb");
    const web = new AgbSession(
      "web",
      { imageId: ${JSON.stringify(imageId)}, labels: { team: "web", owner: ${JSON.stringify(owner)} } },
      ${JSON.stringify({ ignoreChanges: ["labels.owner"], ...options })},
    );
    exports.sessionId = web.sessionId;
  `;
}

test("an account that may run only one session needs deleteBeforeReplace, and ignored labels stay as they are", async () => {
  const emulator = await startTestEmulator({ maximumSessions: 1 });
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(program("agb-code-space-1", "first")),
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
    }),
  );
  await project.up();
  const { sessionId } = await project.outputs();

  await project.write("index.js", program("agb-code-space-1", "second"));
  await project.succeed("preview", "--expect-no-changes");

  // The new session is created before the old one is released. That is one too many for the account.
  await project.write("index.js", program("agb-browser-use-1", "second"));
  const refused = await project.run("up", "--yes", "--skip-preview");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stdout).toContain("deleteBeforeReplace");
  expect(emulator.sessions().map((session) => session.sessionId)).toEqual([sessionId]);

  await project.write("index.js", program("agb-browser-use-1", "second", { deleteBeforeReplace: true }));
  await project.up();
  const [session, ...others] = emulator.sessions();
  expect(others).toEqual([]);
  expect(session?.sessionId).not.toBe(sessionId);
  expect(session?.imageId).toBe("agb-browser-use-1");
  expect(session?.labels).toMatchObject({ team: "web", owner: "first" });

  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
});
