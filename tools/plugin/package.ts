// `npm run package:plugin` writes to `dist-plugin` what `pulumi plugin install` takes: the archive that needs Node, the archive of
// the executable for this system, and a file with their checksums. `--bundle-only` leaves the executable out, `--out` names another
// folder. Archives of earlier builds in it are deleted. Environment: AGB_PLUGIN_DOWNLOAD_URL, see `download-url.ts`.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  archiveName,
  checksumLines,
  checksumsName,
  nodePlatform,
  packBundle,
  packExecutable,
  programName,
} from "./archives";
import { buildBundle } from "./bundle";
import { chooseDownloadUrl } from "./download-url";
import { pulumiPlatform } from "./platform";
import { buildExecutable } from "./single-executable";
import { checkThatItStarts } from "./start-check";

const root = join(__dirname, "..", "..");

async function writePlugin(): Promise<void> {
  const { values } = parseArgs({
    options: { "bundle-only": { type: "boolean", default: false }, out: { type: "string", default: "dist-plugin" } },
  });
  const folder = resolve(root, values.out);
  const { version, repository } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const downloadUrl = chooseDownloadUrl(process.env["AGB_PLUGIN_DOWNLOAD_URL"], repository);
  const platform = values["bundle-only"] ? undefined : pulumiPlatform();

  console.log(`pulumi-resource-agb ${version}, to be installed from ${downloadUrl ?? "a file"}`);
  const bundle = await buildBundle({ version, downloadUrl });
  const archives = new Map([[archiveName(version, nodePlatform), await packBundle(bundle)]]);
  if (platform !== undefined) {
    console.log(`Putting it into a copy of Node.js ${process.version} …`);
    const executable = await buildExecutable(bundle.code);
    await checkExecutable(executable);
    console.log("Packing …");
    archives.set(archiveName(version, platform), await packExecutable(executable, platform, bundle));
  }

  await mkdir(folder, { recursive: true });
  const old = (await readdir(folder)).filter((name) => name.startsWith(`${programName}-v`));
  await Promise.all(old.map((name) => rm(join(folder, name))));
  for (const [name, content] of archives) {
    await writeFile(join(folder, name), content);
    console.log(`${values.out}/${name} (${Math.ceil(content.length / 1_000)} kB)`);
  }
  await writeFile(join(folder, checksumsName(version)), checksumLines(archives));
  console.log(`${values.out}/${checksumsName(version)}`);
}

/** Starts it without a PATH, so that no other Node can help. */
async function checkExecutable(executable: Buffer): Promise<void> {
  const temporary = await mkdtemp(join(tmpdir(), "agb-plugin-"));
  try {
    const path = join(temporary, process.platform === "win32" ? `${programName}.exe` : programName);
    await writeFile(path, executable, { mode: 0o755 });
    await checkThatItStarts(path, { ...process.env, PATH: "" });
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
  }
}

void writePlugin().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
