import { mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import type { Host } from "../support/resource-hosts";
import { writePlugin } from "../support/write-plugin";
import { commands } from "./kill";

export { stackName } from "../support/pulumi-project";

/** Name of the project in `javascriptFiles`. */
export const projectName = "engine-test";
/** How many sessions the program declares. */
export const sessionCount = 4;

/** Declares the class of sessions. The plugin's one knows the type by its name. */
const sessionClass: Readonly<Record<Host, string>> = {
  dynamic: 'const { AgbSession: Session } = require("pulumi-agb");',
  plugin: `
class Session extends pulumi.CustomResource {
  constructor(name, args) {
    super("agb:index:Session", name, args);
  }
}`,
};

/** Creates a project whose sessions a host serves. The stack's configuration determines the sessions. */
export async function createChaosProject(
  host: Host,
  settings: Readonly<Record<string, string>>,
): Promise<PulumiProject> {
  const files = javascriptFiles(`
const pulumi = require("@pulumi/pulumi");
${sessionClass[host]}
const config = new pulumi.Config();
for (let i = 0; i < ${sessionCount}; i++) {
  new Session("s" + i, { imageId: config.require("image"), labels: { round: config.require("round") } });
}
`);
  const project = await createPulumiProject({ files, environment: settings });
  if (host === "plugin") {
    const folder = join(project.root, "plugin");
    await mkdir(folder);
    await writePlugin(folder);
    project.environment["PATH"] = [folder, project.environment["PATH"] ?? ""].join(delimiter);
  }
  return project;
}

const images = ["agb-code-space-1", "agb-browser-use-1"];

/** Returns the configuration of a round: new labels in each, and another image for each `up`, which replaces all sessions. */
export function roundConfiguration(round: number): Record<string, string> {
  const image = images[Math.floor(round / commands.length) % images.length] ?? "";
  return { [`${projectName}:round`]: String(round), [`${projectName}:image`]: image };
}
