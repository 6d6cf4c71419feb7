import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { collectLicenses } from "./licenses";
import { schemaPath } from "./schema-path";

/** What a build of the plugin sets. */
export interface BundleOptions {
  /** Default: the version of the package. */
  readonly version?: string;
  /** Where Pulumi finds the plugin's archives. Without it, users install the plugin themselves. */
  readonly downloadUrl?: string | undefined;
}

/** The plugin in one file, which needs only Node. */
export interface Bundle {
  /** The file's content. */
  readonly code: string;
  /** The licenses of the packages in it. */
  readonly licenses: string;
}

const root = join(__dirname, "..", "..");

/** Returns only the code of `buildBundle`. */
export async function bundlePlugin(options: BundleOptions = {}): Promise<string> {
  return (await buildBundle(options)).code;
}

/** Bundles the plugin `pulumi-resource-agb` into one file. */
export async function buildBundle({ version, downloadUrl }: BundleOptions = {}): Promise<Bundle> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const builtVersion = version ?? manifest.version;
  const schema = {
    ...JSON.parse(await readFile(schemaPath, "utf8")),
    version: builtVersion,
    ...(downloadUrl !== undefined && { pluginDownloadURL: downloadUrl }),
  };
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join("provider", "plugin", "main.ts")],
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
    metafile: true,
    write: false,
  });
  return {
    code: outputFiles[0]?.text ?? "",
    licenses: await collectLicenses(root, Object.keys(metafile.inputs)),
  };
}
