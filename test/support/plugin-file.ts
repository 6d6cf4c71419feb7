import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { closeAfterTest } from "./close-after-test";
import type { PulumiProject } from "./pulumi-project";
import { writePlugin } from "./write-plugin";

/** Builds the plugin into a folder that is deleted after the test. @returns the folder */
export async function buildPluginFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "agb-plugin-"));
  closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
  await writePlugin(folder);
  return folder;
}

/** Lets the commands of a project find the plugin on the path. */
export async function usePlugin(project: PulumiProject): Promise<void> {
  const folder = await buildPluginFolder();
  project.environment["PATH"] = [folder, project.environment["PATH"] ?? ""].join(delimiter);
}
