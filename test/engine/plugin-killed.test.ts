// The plugin is killed in the middle of a create, alone and together with its engine.

import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { useTracedPlugin } from "../support/plugin-file";
import { pluginSessions } from "../support/plugin-program";
import { until } from "../support/preview-world";
import { createPulumiProject } from "../support/pulumi-project";
import { changesIn, sessionIdsOf } from "../support/stack-state";

jest.setTimeout(600_000);

const program = pluginSessions({ web: { imageId: "agb-code-space-1" } });

/** Runs an `up`, and kills processes of it when AGB has created the session and not answered yet. */
async function killDuringCreate(victims: readonly ("plugin" | "engine")[]) {
  const emulator = await startTestEmulator();
  const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
  const project = closeAfterTest(await createPulumiProject({ files: program, environment }));
  const readProcesses = await useTracedPlugin(project);
  const create = emulator.addFault({ operation: "createSession", when: "after", delayMs: 3_600_000, calls: 1 });
  const up = project.run("up", "--yes", "--skip-preview");
  await until(() => create.struck > 0);
  const processes = await readProcesses();
  for (const victim of victims) {
    process.kill(processes[victim], "SIGKILL");
  }
  const result = await up;
  create.remove();
  const running = () => emulator.sessions().map(({ sessionId }) => sessionId);
  const [orphan = ""] = running();
  const sweep = async (...parameters: string[]) => {
    const job = await project.startJob(["sweep", "--older-than", "0s", "--stack", "test", ...parameters]);
    return job.result;
  };
  return { emulator, project, result, orphan, running, sweep };
}

test("a plugin that is killed during a create leaves a session that the sweep finds by its labels, before and after the next up", async () => {
  const { emulator, project, result, orphan, running, sweep } = await killDuringCreate(["plugin"]);
  expect(result.exitCode).not.toBe(0);
  expect(result.stdout).toContain("pulumi-resource-agb exited prematurely");
  // Pulumi knows of no create that is pending, because the plugin did answer: with its end.
  const { pending_operations = [], resources = [] } = (await project.exportState()).deployment;
  expect(pending_operations).toEqual([]);
  const provider = resources.find(({ type }) => type === "pulumi:providers:agb");
  expect(emulator.sessions()).toMatchObject([
    {
      labels: {
        "pulumi-project": "engine-test",
        "pulumi-stack": "test",
        "pulumi-stack-id": provider?.id,
        "pulumi-resource": "web",
        "pulumi-create": expect.stringMatching(/^\d{8}T\d{6}Z-/),
      },
    },
  ]);

  // Before the next `up`, the state has no session at all, and the sweep knows the stack by the id of its provider.
  expect((await sweep()).stdout).toMatch(new RegExp(`^would release: ${orphan} \\(web, created `, "m"));
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 1, unchanged: 1 });
  const { web } = sessionIdsOf(await project.exportState());
  expect(running().sort()).toEqual([orphan, web].sort());
  const swept = await sweep("--yes");
  expect(swept).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`released: ${orphan}`) });
  expect(running()).toEqual([web]);
  await project.destroy();
  expect(running()).toEqual([]);
});

test("plugin and engine killed together leave a lock and a pending create; cancel, up and sweep clean up", async () => {
  const { project, orphan, running, sweep } = await killDuringCreate(["plugin", "engine"]);
  const pending = async () => (await project.exportState()).deployment.pending_operations ?? [];
  expect(await pending()).toMatchObject([{ type: "creating", resource: { type: "agb:index:Session" } }]);

  const locked = await project.run("up", "--yes", "--skip-preview");
  expect(locked.exitCode).not.toBe(0);
  expect(locked.stderr).toContain("the stack is currently locked");
  expect(running()).toEqual([orphan]);
  await project.succeed("cancel", "--yes");

  expect(changesIn((await project.up()).stdout)).toEqual({ created: 1, unchanged: 1 });
  const { web } = sessionIdsOf(await project.exportState());
  expect(await sweep("--yes")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`released: ${orphan}`) });
  expect(running()).toEqual([web]);

  // The pending create stays in the state and does no harm. Pulumi warns about it until the user clears it.
  const warned = await project.up("--refresh=false");
  expect(`${warned.stdout}${warned.stderr}`).toContain("pending operations");
  expect(changesIn(warned.stdout)).toEqual({ unchanged: 2 });
  expect(await pending()).toHaveLength(1);
  await project.refresh("--clear-pending-creates");
  expect(await pending()).toEqual([]);
  expect(sessionIdsOf(await project.exportState())).toEqual({ web });
  await project.destroy();
  expect(running()).toEqual([]);
});
