// `npm run package:plugin` writes the plugin to `dist-plugin`: the program, an archive for each platform and their checksums. The
// program needs Node. Environment: AGB_PLUGIN_DOWNLOAD_URL is the address from which Pulumi installs the archives, such as
// `github://api.github.com/OWNER/REPOSITORY`. It goes into the schema.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packPlugin, programName } from "./archives";
import { bundlePlugin } from "./bundle";

const root = join(__dirname, "..", "..");
const folder = join(root, "dist-plugin");

async function writePlugin(): Promise<void> {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const code = await bundlePlugin({ version, downloadUrl: process.env["AGB_PLUGIN_DOWNLOAD_URL"] || undefined });
  const files = new Map<string, string | Buffer>([[programName, code], ...(await packPlugin(code, version))]);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) {
    const mode = name === programName ? 0o755 : 0o644;
    await writeFile(join(folder, name), content, { mode });
    console.log(`dist-plugin/${name} (${Math.ceil(content.length / 1_000)} kB)`);
  }
}

void writePlugin().catch((error: Error) => {
  console.error(error.stack ?? error.message);
  process.exitCode = 1;
});
