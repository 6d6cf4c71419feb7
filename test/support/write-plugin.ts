import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundlePlugin } from "../../tools/plugin/bundle";

/** Builds the plugin into a folder. */
export async function writePlugin(folder: string): Promise<void> {
  const path = join(folder, "pulumi-resource-agb");
  await writeFile(path, await bundlePlugin());
  await chmod(path, 0o755);
}
