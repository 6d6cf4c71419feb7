import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundlePlugin } from "../../tools/plugin/bundle";

/** The built plugin. Everything in this process uses one build. */
let building: Promise<string> | undefined;

/** Builds the plugin into a folder. */
export async function writePlugin(folder: string): Promise<void> {
  const path = join(folder, "pulumi-resource-agb");
  building ??= bundlePlugin();
  await writeFile(path, await building);
  await chmod(path, 0o755);
}
