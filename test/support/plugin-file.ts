// The built plugin for projects of tests. Imports nothing of Jest, because the benchmark and the chaos test run without it.

import { chmod, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { bundlePlugin } from "../../tools/plugin/bundle";
import type { PulumiProject } from "./pulumi-project";

/** The built plugin. Everything in this process uses one build. */
let building: Promise<string> | undefined;

/** Builds the plugin into a folder. */
export async function writePlugin(folder: string): Promise<void> {
  const path = join(folder, "pulumi-resource-agb");
  building ??= bundlePlugin();
  await writeFile(path, await building);
  await chmod(path, 0o755);
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
