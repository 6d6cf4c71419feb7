// `npm run package:plugin` writes the plugin to `dist-plugin`. Environment: AGB_PLUGIN_DOWNLOAD_URL is the address from which Pulumi
// may install it, such as `github://api.github.com/OWNER/REPOSITORY`. It goes into the schema.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundlePlugin } from "./bundle";

const folder = join(__dirname, "..", "..", "dist-plugin");

async function writePlugin(): Promise<void> {
  const downloadUrl = process.env["AGB_PLUGIN_DOWNLOAD_URL"] || undefined;
  const code = await bundlePlugin({ downloadUrl });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const path = join(folder, "pulumi-resource-agb");
  await writeFile(path, code, { mode: 0o755 });
  console.log(`${path} (${Math.round(code.length / 1_000)} kB)`);
}

void writePlugin().catch((error: Error) => {
  console.error(error.stack ?? error.message);
  process.exitCode = 1;
});
