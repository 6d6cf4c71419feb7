import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { schemaPath } from "./schema-path";

/** What a build of the plugin sets. */
export interface BundleOptions {
  /** Default: the version of the package. */
  readonly version?: string;
  /** Where Pulumi finds the plugin's archives. Without it, users install the plugin themselves. */
  readonly downloadUrl?: string | undefined;
}

const root = join(__dirname, "..", "..");

/**
 * Bundles the plugin `pulumi-resource-agb` into one file, which needs only Node.
 *
 * @returns the file's content
 */
export async function bundlePlugin({ version, downloadUrl }: BundleOptions = {}): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const builtVersion = version ?? manifest.version;
  const schema = {
    ...JSON.parse(await readFile(schemaPath, "utf8")),
    version: builtVersion,
    ...(downloadUrl !== undefined && { pluginDownloadURL: downloadUrl }),
  };
  const { outputFiles } = await build({
    entryPoints: [join(root, "provider", "plugin", "main.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    // Messages and stack traces need the names of errors.
    keepNames: true,
    legalComments: "none",
    banner: { js: "#!/usr/bin/env node" },
    define: {
      PLUGIN_VERSION: JSON.stringify(builtVersion),
      PLUGIN_SCHEMA: JSON.stringify(JSON.stringify(schema)),
    },
    logLevel: "silent",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}
