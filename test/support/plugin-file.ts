import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { bundlePlugin } from "../../tools/plugin/bundle";
import { closeAfterTest } from "./close-after-test";
import type { PulumiProject } from "./pulumi-project";

/** Builds the plugin into a folder that is deleted after the test. @returns the folder */
export async function buildPluginFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "agb-plugin-"));
  closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
  await writePlugin(folder);
  return folder;
}

/** The built plugin. All tests of a file use one build. */
let building: Promise<string> | undefined;

/** Builds the plugin into a folder. */
export async function writePlugin(folder: string): Promise<void> {
  const path = join(folder, "pulumi-resource-agb");
  building ??= bundlePlugin();
  await writeFile(path, await building);
  await chmod(path, 0o755);
}

/** Lets the commands of a project find the plugin on the path. */
export async function usePlugin(project: PulumiProject): Promise<void> {
  const folder = await buildPluginFolder();
  project.environment["PATH"] = [folder, project.environment["PATH"] ?? ""].join(delimiter);
}
