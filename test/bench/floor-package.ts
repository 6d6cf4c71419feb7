import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { providerReference } from "../../provider/resources/reference";

// As long as this package's own name, so that both references have the same length.
const name = "floor-only";

/** Name of the package that `writeFloorPackage` writes. */
export const floorPackageName = name;

const reference = providerReference("session").replace("pulumi-agb", name);

// Type, properties and labels are those of an AgbSession, so that the engine stores and writes the same amount.
const program = `
const pulumi = require("@pulumi/pulumi");

exports.AgbSession = class extends pulumi.CustomResource {
  constructor(name, args, opts) {
    const owner = {
      "pulumi-project": pulumi.getProject(),
      "pulumi-stack": pulumi.getStack(),
      "pulumi-resource": name,
    };
    super("pulumi-nodejs:dynamic/agb:AgbSession", name, {
      idleTimeoutSeconds: undefined,
      policyId: undefined,
      appInstanceId: undefined,
      resourceId: undefined,
      ...args,
      labelsAll: { ...args.labels, ...owner },
      __provider: ${JSON.stringify(reference)},
    }, opts);
  }
};
`;

const provider = `
let last = 0;
const text = (length) => String(++last).padStart(length, "0");

exports.session = {
  check: async (_olds, news) => ({ inputs: news }),
  diff: async () => ({ changes: false }),
  create: async ({ imageId, labels, labelsAll }) => ({
    id: "session-" + text(25),
    outs: {
      imageId,
      labels,
      labelsAll: { ...labelsAll, "pulumi-create": "20261122T164726Z-" + text(12) },
      appInstanceId: "ai-" + text(17),
      resourceId: "p-" + text(17),
    },
  }),
  read: async (id, props) => {
    const { appInstanceId, resourceId, labelsAll: { "pulumi-create": token, ...labelsAll }, ...inputs } = props;
    return { id, props, inputs: { ...inputs, labelsAll } };
  },
  delete: async () => {},
};
`;

/**
 * Writes the floor: a package with a dynamic resource that looks like `AgbSession` to the engine and whose methods return
 * immediately. No provider can be faster.
 */
export async function writeFloorPackage(nodeModulesDirectory: string): Promise<void> {
  const directory = join(nodeModulesDirectory, name);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "package.json"), JSON.stringify({ name, version: "1.0.0", main: "index.js" }));
  await writeFile(join(directory, "index.js"), program);
  await writeFile(join(directory, "dynamic.js"), provider);
}
