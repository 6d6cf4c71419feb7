// `npm run package:plugin`, and the commands with which a release attaches what it writes.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { archiveName, checksumsName, nodePlatform } from "../../tools/plugin/archives";
import { pulumiPlatform } from "../../tools/plugin/platform";
import { runBounded } from "../support/bounded-process";
import { makeTemporaryFolder, repositoryRoot } from "../support/node-process";
import { attachCommands } from "../support/workflow-commands";

jest.setTimeout(600_000);

const { version } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8"));
const executable = archiveName(version, pulumiPlatform());
const bundle = archiveName(version, nodePlatform);
const sums = checksumsName(version);

let root: string;
let folder: string;

beforeEach(async () => {
  root = await makeTemporaryFolder();
  folder = join(root, "out");
});

async function packagePlugin(parameters: readonly string[], downloadUrl?: string) {
  const all = ["run", "package:plugin", "--", "--out", folder, ...parameters];
  const environment = { ...process.env, AGB_PLUGIN_DOWNLOAD_URL: downloadUrl };
  return runBounded("npm", all, { directory: repositoryRoot, environment, timeoutMs: 300_000 });
}

test("writes both archives and their checksums, and says where", async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, archiveName("0.0.1", "linux-amd64")), "of an earlier version");
  writeFileSync(join(folder, "notes.txt"), "of somebody else");
  const address = "github://api.github.com/owner/name";
  const { exitCode, stdout } = await packagePlugin([], address);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`pulumi-resource-agb ${version}, to be installed from ${address}\n`);
  expect(readdirSync(folder).sort()).toEqual(["notes.txt", executable, bundle, sums].sort());
  for (const name of [executable, bundle, sums]) {
    expect(stdout).toContain(join(folder, name));
  }
  expect(spawnSync("sha256sum", ["--check", "--strict", sums], { cwd: folder }).status).toBe(0);
  const program = spawnSync("tar", ["-xzOf", bundle, "pulumi-resource-agb.cjs"], {
    cwd: folder,
    maxBuffer: 10_000_000,
  });
  expect(program.stdout.includes(`"pluginDownloadURL":"${address}"`)).toBe(true);
});

test("writes only the bundle if asked to, the same in each run, and no address unless one is known", async () => {
  expect((await packagePlugin(["--bundle-only"])).stdout).toContain(`${version}, to be installed from a file\n`);
  expect(readdirSync(folder).sort()).toEqual([sums, bundle].sort());
  const first = readFileSync(join(folder, bundle));
  await packagePlugin(["--bundle-only"]);
  expect(readFileSync(join(folder, bundle)).equals(first)).toBe(true);
  const program = spawnSync("tar", ["-xzOf", bundle, "pulumi-resource-agb.cjs"], {
    cwd: folder,
    maxBuffer: 10_000_000,
  });
  // Not `toContain`, whose message would hold the whole program.
  expect(program.stdout.includes('"pluginDownloadURL":')).toBe(false);
});

test.each([
  ["an address that Pulumi does not know", [], "ftp://host/agb", "AGB_PLUGIN_DOWNLOAD_URL begins with ftp:"],
  ["an unknown option", ["--bundel-only"], undefined, "Unknown option '--bundel-only'"],
])("fails on %s, without a stack trace, and keeps what is there", async (_, parameters, address, message) => {
  mkdirSync(folder);
  writeFileSync(join(folder, bundle), "of an earlier build");
  const { exitCode, stderr } = await packagePlugin(parameters, address);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(readFileSync(join(folder, bundle), "utf8")).toBe("of an earlier build");
});

test("the commands of a release write the checksums of all archives, and upload exactly these files", () => {
  const names = [bundle, archiveName(version, "linux-amd64"), archiveName(version, "windows-arm64")].sort();
  mkdirSync(folder);
  for (const name of names) {
    writeFileSync(join(folder, name), name);
  }
  // `gh` is not everywhere, and would need a release. This one writes down how it was called.
  const tools = join(root, "tools");
  mkdirSync(tools);
  writeFileSync(join(tools, "gh"), `#!/bin/sh\nprintf '%s\\n' "$@" > "${root}/called"\n`, { mode: 0o755 });
  const environment = {
    PATH: [tools, process.env["PATH"]].join(delimiter),
    TAG: `v${version}`,
    GITHUB_REPOSITORY: "owner/name",
  };
  for (const command of Object.values(attachCommands)) {
    const { status } = spawnSync("bash", ["-e", "-c", command], { cwd: folder, env: environment, encoding: "utf8" });
    expect(status).toBe(0);
  }
  const hash = (name: string) => createHash("sha256").update(name).digest("hex");
  expect(readFileSync(join(folder, sums), "utf8")).toBe(names.map((name) => `${hash(name)}  ${name}\n`).join(""));
  expect(existsSync(join(root, "called"))).toBe(true);
  expect(readFileSync(join(root, "called"), "utf8").trimEnd().split("\n")).toEqual([
    ...["release", "upload", `v${version}`, "--repo", "owner/name", "--clobber", "--"],
    ...names,
    sums,
  ]);
});
