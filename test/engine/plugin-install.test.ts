import "../support/await-pulumi-cli";
import { createHash } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { archiveName, nodePlatform, packBundle, packExecutable } from "../../tools/plugin/archives";
import { buildBundle } from "../../tools/plugin/bundle";
import { pulumiPlatform } from "../../tools/plugin/platform";
import { buildExecutable } from "../../tools/plugin/single-executable";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { type ArchiveServer, startArchiveServer } from "../support/archive-server";
import { createCertificate } from "../support/certificate";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

// How users get the plugin, with the archives that `npm run package:plugin` writes.

jest.setTimeout(600_000);

const version = "9.8.7";
const newVersion = "9.9.0";
const platform = pulumiPlatform();
const executableName = archiveName(version, platform);
const bundleName = archiveName(version, nodePlatform);

let server: ArchiveServer;
let bundle: Buffer;
let executable: Buffer;

beforeAll(async () => {
  server = await startArchiveServer();
  const built = await buildBundle({ version, downloadUrl: server.url });
  bundle = await packBundle(built);
  executable = await packExecutable(await buildExecutable(built.code), platform, built);
  server.archives.set(executableName, executable);
}, 600_000);

afterAll(() => server.close());

/** @param options of the resource, as a generated SDK sets them */
function program(options: { version?: string; pluginDownloadURL?: string } = {}): Record<string, string> {
  return javascriptFiles(`
    const pulumi = require("@pulumi/pulumi");
    const inputs = { imageId: "agb-code-space-1" };
    new pulumi.CustomResource("agb:index:Session", "web", inputs, ${JSON.stringify(options)});
  `);
}

async function openProject(files: Record<string, string>): Promise<PulumiProject> {
  const emulator = await startTestEmulator();
  const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
  return closeAfterTest(await createPulumiProject({ files, environment }));
}

async function installFrom(project: PulumiProject, archive: Buffer, name: string, as = version): Promise<void> {
  const path = join(project.root, name);
  await writeFile(path, archive);
  await project.succeed("plugin", "install", "resource", "agb", as, "--file", path);
}

/** The folder of an installed plugin. */
function installed(project: PulumiProject, which = version): string {
  return join(project.root, "home", "plugins", `resource-agb-v${which}`);
}

/** A folder with nothing in it, as the whole PATH. */
async function leaveNothingOnPath(project: PulumiProject): Promise<void> {
  const folder = join(project.root, "empty");
  await mkdir(folder);
  project.environment["PATH"] = folder;
}

/** Adds a folder with a plugin to the PATH, before what is there. @returns the plugin's path */
async function putOnPath(project: PulumiProject, name: string, script: string): Promise<string> {
  const folder = join(project.root, name);
  await mkdir(folder);
  const path = join(folder, "pulumi-resource-agb");
  await writeFile(path, script, { mode: 0o755 });
  project.environment["PATH"] = [folder, project.environment["PATH"]].join(delimiter);
  return path;
}

/** Starts an installed plugin. */
const starterOf = (project: PulumiProject) => `#!/bin/sh\nexec "${installed(project)}/pulumi-resource-agb" "$@"\n`;
const brokenPlugin = "#!/bin/sh\necho this plugin must not be started >&2\nexit 1\n";

test("the archive that needs Node is installed from a file", async () => {
  const project = await openProject(program({ version }));
  await installFrom(project, bundle, bundleName);
  expect((await project.succeed("plugin", "ls")).stdout).toMatch(/agb +resource +9\.8\.7/);
  // A folder above with modules must not change how Node reads the program.
  await writeFile(join(project.root, "package.json"), '{ "type": "module" }');
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 2 });
  await project.destroy();
  // Pulumi would name the folder of a plugin that it found on the path.
  expect(project.transcript()).not.toContain("$PATH");
});

test("without Node, the archive that needs it says so", async () => {
  const project = await openProject(program({ version }));
  await installFrom(project, bundle, bundleName);
  await project.up();
  await leaveNothingOnPath(project);
  const { exitCode, stdout, stderr } = await project.run("destroy", "--yes", "--skip-preview");
  expect(exitCode).not.toBe(0);
  expect(`${stdout}${stderr}`).toContain(
    "it needs Node.js 20.18.1 or newer, and there is no `node` on the PATH. Install Node.js, or install the plugin for this system, which contains its own. [AGB122]",
  );
});

test("the executable is installed from a file, and works without Node", async () => {
  const project = await openProject(program({ version }));
  await installFrom(project, executable, executableName);
  expect((await readdir(installed(project))).sort()).toEqual([
    "LICENSE",
    "THIRD-PARTY-LICENSES",
    "pulumi-resource-agb",
  ]);
  // The program needs Node. What follows does not run it.
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 2 });
  await leaveNothingOnPath(project);
  await project.refresh();
  expect(changesIn((await project.destroy()).stdout)).toEqual({ deleted: 2 });
});

test("the plugin installs itself from the address that program and schema name", async () => {
  server.asked.length = 0;
  const project = await openProject(program({ version, pluginDownloadURL: server.url }));
  delete project.environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"];
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 2 });
  await project.destroy();
  expect(server.asked).toEqual([executableName]);

  const path = join(installed(project), "pulumi-resource-agb");
  const schema = JSON.parse((await project.succeed("package", "get-schema", path)).stdout);
  expect(schema).toMatchObject({ name: "agb", version, pluginDownloadURL: server.url });
});

test("Pulumi compares a checksum with a download, but not with a file", async () => {
  // Over HTTP/1.1, this version of Pulumi calculates a wrong checksum.
  const certificate = createCertificate();
  const secure = closeAfterTest(await startArchiveServer(certificate));
  secure.archives.set(executableName, executable);
  const project = await openProject(program());
  project.environment["SSL_CERT_FILE"] = join(project.root, "certificate.pem");
  await writeFile(project.environment["SSL_CERT_FILE"], certificate.cert);
  const install = (checksum: string, ...from: string[]) =>
    project.run("plugin", "install", "resource", "agb", version, "--checksum", checksum, ...from);
  const [wrong, right] = ["0".repeat(64), createHash("sha256").update(executable).digest("hex")];

  const refused = await install(wrong, "--server", secure.url);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain("invalid checksum");
  expect((await project.succeed("plugin", "ls")).stdout).not.toContain("agb");
  expect((await install(right, "--server", secure.url)).stderr).not.toContain("error");
  expect((await project.succeed("plugin", "ls")).stdout).toMatch(/agb +resource +9\.8\.7/);

  await project.succeed("plugin", "rm", "resource", "agb", "--yes");
  const path = join(project.root, executableName);
  await writeFile(path, executable);
  expect((await install(wrong, "--file", path)).exitCode).toBe(0);
});

test("a plugin on the PATH comes before installed ones, the first of several, and Pulumi names it", async () => {
  const project = await openProject(program({ version }));
  await installFrom(project, bundle, bundleName);
  await putOnPath(project, "second", brokenPlugin);
  const first = await putOnPath(project, "first", starterOf(project));
  const up = await project.up();
  expect(changesIn(up.stdout)).toEqual({ created: 2 });
  expect(`${up.stdout}${up.stderr}`).toContain(`using pulumi-resource-agb from $PATH at ${first}`);

  await putOnPath(project, "broken", brokenPlugin);
  expect((await project.run("destroy", "--yes", "--skip-preview")).exitCode).not.toBe(0);
  project.environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] = "true";
  await project.destroy();
});

test("of two installed versions, the one that the program names is used, else the newest", async () => {
  const project = await openProject(program({ version }));
  await installFrom(project, bundle, bundleName);
  const newer = await packBundle(await buildBundle({ version: newVersion }));
  await installFrom(project, newer, archiveName(newVersion, nodePlatform), newVersion);
  const [old, latest] = [version, newVersion].map((which) =>
    join(installed(project, which), "pulumi-resource-agb.cjs"),
  );
  const throwing = "throw new Error('this version must not be started')";

  await writeFile(latest ?? "", throwing);
  await project.up();
  await project.destroy();

  await writeFile(latest ?? "", (await buildBundle({ version: newVersion })).code);
  await writeFile(old ?? "", throwing);
  await project.write("index.js", program()["index.js"] ?? "");
  await project.up();
  await project.destroy();
});
