import { javascriptFiles } from "../support/pulumi-project";
import { commands } from "./kill";

export { stackName } from "../support/pulumi-project";

/** Name of the project in `javascriptFiles`. */
export const projectName = "engine-test";
/** How many sessions the program declares. */
export const sessionCount = 4;

/** The files of the project. The stack's configuration determines its sessions. */
export const programFiles = javascriptFiles(`
const pulumi = require("@pulumi/pulumi");
const { AgbSession } = require("pulumi-agb");
const config = new pulumi.Config();
for (let i = 0; i < ${sessionCount}; i++) {
  new AgbSession("s" + i, { imageId: config.require("image"), labels: { round: config.require("round") } });
}
`);

const images = ["agb-code-space-1", "agb-browser-use-1"];

/** Returns the configuration of a round: new labels in each, and another image for each `up`, which replaces all sessions. */
export function roundConfiguration(round: number): Record<string, string> {
  const image = images[Math.floor(round / commands.length) % images.length] ?? "";
  return { [`${projectName}:round`]: String(round), [`${projectName}:image`]: image };
}
