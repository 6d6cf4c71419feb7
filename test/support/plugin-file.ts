import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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

/** Lets the commands of a project find the plugin on the path. Its folder is removed with the project. */
export async function usePlugin(project: PulumiProject): Promise<void> {
  const folder = await mkdtemp(join(project.root, "plugin-"));
  await writePlugin(folder);
  project.environment["PATH"] = [folder, project.environment["PATH"] ?? ""].join(delimiter);
}

/** The processes of a run, by which a test can end exactly these. */
export interface RunProcesses {
  readonly plugin: number;
  readonly engine: number;
}

/**
 * Lets the commands of a project find a plugin on the path that writes down which process it is, and which engine started it.
 *
 * @returns reads the ids of the plugin that was started last
 */
export async function useTracedPlugin(project: PulumiProject): Promise<() => Promise<RunProcesses>> {
  await usePlugin(project);
  const folder = await mkdtemp(join(project.root, "traced-"));
  const [trace, start] = [join(folder, "processes"), join(folder, "pulumi-resource-agb")];
  // The rest of the path has the plugin. `exec` keeps the id of the process.
  const script = `#!/bin/sh\necho "$$ $PPID" >> "${trace}"\nexec "$(PATH="\${PATH#*:}"; command -v pulumi-resource-agb)" "$@"\n`;
  await writeFile(start, script, { mode: 0o755 });
  project.environment["PATH"] = [folder, project.environment["PATH"] ?? ""].join(delimiter);
  return async () => {
    const last = (await readFile(trace, "utf8")).trim().split("\n").at(-1) ?? "";
    const [plugin = Number.NaN, engine = Number.NaN] = last.split(" ").map(Number);
    return { plugin, engine };
  };
}
