import { usePlugin } from "../support/plugin-file";
import { pluginClasses } from "../support/plugin-program";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import type { Host } from "../support/resource-hosts";
import { commands } from "./kill";

export { stackName } from "../support/pulumi-project";

/** Name of the project in `javascriptFiles`. */
export const projectName = "engine-test";
/** How many sessions the program declares. */
export const sessionCount = 4;

/** Declares the class of sessions. */
const sessionClass: Readonly<Record<Host, string>> = {
  dynamic: 'const pulumi = require("@pulumi/pulumi");\nconst { AgbSession: Session } = require("pulumi-agb");',
  plugin: pluginClasses,
};

/** Creates a project whose sessions a host serves. The stack's configuration determines the sessions. */
export async function createChaosProject(
  host: Host,
  settings: Readonly<Record<string, string>>,
): Promise<PulumiProject> {
  const files = javascriptFiles(`
${sessionClass[host]}
const config = new pulumi.Config();
for (let i = 0; i < ${sessionCount}; i++) {
  new Session("s" + i, { imageId: config.require("image"), labels: { round: config.require("round") } });
}
`);
  const project = await createPulumiProject({ files, environment: settings });
  if (host === "plugin") {
    await usePlugin(project);
  }
  return project;
}

const images = ["agb-code-space-1", "agb-browser-use-1"];

/** Returns the configuration of a round: new labels in each, and another image for each `up`, which replaces all sessions. */
export function roundConfiguration(round: number): Record<string, string> {
  const image = images[Math.floor(round / commands.length) % images.length] ?? "";
  return { [`${projectName}:round`]: String(round), [`${projectName}:image`]: image };
}
