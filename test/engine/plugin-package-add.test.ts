import "../support/await-pulumi-cli";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { archiveName, packExecutable } from "../../tools/plugin/archives";
import { buildBundle } from "../../tools/plugin/bundle";
import { pulumiPlatform } from "../../tools/plugin/platform";
import { buildExecutable } from "../../tools/plugin/single-executable";
import { findLanguageTool } from "../../tools/pulumi-cli/find-language-tool";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { startArchiveServer } from "../support/archive-server";
import { closeAfterTest } from "../support/close-after-test";
import { describeWithLanguage } from "../support/plugin-languages";
import { createPulumiProject } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

// A YAML program whose computer has only the Pulumi CLI: no plugin, and no Node.

jest.setTimeout(600_000);

const version = "9.8.7";
const program = `
name: engine-test
runtime: yaml
resources:
  web:
    type: agb:Session
    properties:
      imageId: agb-code-space-1
`;

describeWithLanguage("YAML")("pulumi package add", () => {
  test("writes down where the plugin is, so that it installs itself on a computer without Node", async () => {
    const server = closeAfterTest(await startArchiveServer());
    const platform = pulumiPlatform();
    const bundle = await buildBundle({ version, downloadUrl: server.url });
    const archive = await packExecutable(await buildExecutable(bundle.code), platform, bundle);
    server.archives.set(archiveName(version, platform), archive);

    const emulator = await startTestEmulator();
    const { binDirectory } = await findLanguageTool("language-yaml");
    const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
    const files = { "Pulumi.yaml": program };
    const project = closeAfterTest(await createPulumiProject({ files, environment, install: async () => {} }));
    const path = project.environment["PATH"] ?? "";
    project.environment["PATH"] = [binDirectory, path].join(delimiter);
    delete project.environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"];

    const downloaded = join(project.root, "downloaded");
    await mkdir(downloaded);
    await writeFile(join(downloaded, "archive.tar.gz"), archive);
    expect(spawnSync("tar", ["-xzf", "archive.tar.gz"], { cwd: downloaded }).status).toBe(0);
    await project.succeed("package", "add", join(downloaded, "pulumi-resource-agb"));
    expect(await readFile(join(project.directory, "Pulumi.yaml"), "utf8")).toContain(`agb: agb@${version}`);
    const declaration = await readFile(join(project.directory, "sdks", "agb", `agb-${version}.yaml`), "utf8");
    expect(declaration).toContain(`downloadUrl: ${server.url}`);
    expect(server.asked).toEqual([]);

    // Nothing but the language host.
    project.environment["PATH"] = binDirectory;
    expect(changesIn((await project.up()).stdout)).toEqual({ created: 2 });
    expect(emulator.sessions()).toHaveLength(1);
    expect(changesIn((await project.destroy()).stdout)).toEqual({ deleted: 2 });
    expect(server.asked).toContain(archiveName(version, platform));
  });
});
