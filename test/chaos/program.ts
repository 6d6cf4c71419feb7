import { javascriptFiles } from "../support/pulumi-project";

export { stackName } from "../support/pulumi-project";

/** Name of the project that `javascriptFiles` makes. */
export const projectName = "engine-test";
/** How many sessions the program declares. */
export const sessionCount = 4;

/** The files of the project: their sessions change with the stack's configuration. */
export const programFiles = javascriptFiles(`
const pulumi = require("@pulumi/pulumi");
const { AgbSession } = require("pulumi-agb");
const config = new pulumi.Config();
for (let i = 0; i < ${sessionCount}; i++) {
  new AgbSession("s" + i, { imageId: config.require("image"), labels: { round: config.require("round") } });
}
`);

/** Configuration of one round: new labels each time, now and then another image, which replaces all sessions. */
export function roundConfiguration(round: number): Record<string, string> {
  const image = Math.random() < 0.3 ? "agb-browser-use-1" : "agb-code-space-1";
  return { [`${projectName}:round`]: String(round), [`${projectName}:image`]: image };
}
