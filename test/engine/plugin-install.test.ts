import "../support/await-pulumi-cli";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { archiveName, packPlugin } from "../../tools/plugin/archives";
import { bundlePlugin } from "../../tools/plugin/bundle";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

// How users get the plugin, with the archives that `npm run package:plugin` writes.

jest.setTimeout(600_000);

const version = "9.8.7";
const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;

/** A program whose resource names the plugin's version and, where given, the address to install it from. */
function program(downloadUrl?: string): Record<string, string> {
  return javascriptFiles(`
    const pulumi = require("@pulumi/pulumi");
    const options = ${JSON.stringify({ version, ...(downloadUrl && { pluginDownloadURL: downloadUrl }) })};
    new pulumi.CustomResource("agb:index:Session", "web", { imageId: "agb-code-space-1" }, options);
  `);
}

async function openProject(files: Record<string, string>): Promise<PulumiProject> {
  const emulator = await startTestEmulator();
  const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
  return closeAfterTest(await createPulumiProject({ files, environment }));
}

async function expectLife(project: PulumiProject): Promise<void> {
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 2 });
  await project.destroy();
  // Pulumi would name the folder of a plugin that it found on the path.
  expect(project.transcript()).not.toContain("$PATH");
}

test("pulumi plugin install takes the archive from a file", async () => {
  const project = await openProject(program());
  const archives = await packPlugin(await bundlePlugin({ version }), version);
  const path = join(project.root, archiveName(version, platform));
  await writeFile(path, archives.get(archiveName(version, platform)) ?? "");
  await project.succeed("plugin", "install", "resource", "agb", version, "--file", path);
  expect((await project.succeed("plugin", "ls")).stdout).toMatch(/agb +resource +9\.8\.7/);
  await expectLife(project);
});

test("the plugin installs itself from the address that the schema names", async () => {
  const asked: string[] = [];
  let archives = new Map<string, Buffer>();
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    const archive = archives.get(url.slice(1));
    response.writeHead(archive === undefined ? 404 : 200, { "content-length": archive?.length ?? 0 }).end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closeAfterTest({ close: () => server.close() });
  const downloadUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const code = await bundlePlugin({ version, downloadUrl });
  archives = await packPlugin(code, version);

  const project = await openProject(program(downloadUrl));
  delete project.environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"];
  await expectLife(project);
  expect(asked).toEqual([`/${archiveName(version, platform)}`]);

  const installed = join(project.root, "home", "plugins", `resource-agb-v${version}`, "pulumi-resource-agb");
  const schema = JSON.parse((await project.succeed("package", "get-schema", installed)).stdout);
  expect(schema).toMatchObject({ name: "agb", version, pluginDownloadURL: downloadUrl });
});
