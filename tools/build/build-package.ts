// Builds the package: `provider/` becomes a few files in `dist`. Development, tests and npm all use this build. See
// docs/adr/0017-the-package-is-bundled.md.

import { join } from "node:path";
import { bringUpToDate, type Target } from "./up-to-date";

const root = join(__dirname, "..", "..");

/** What `dist` is built from. The last entry lists the installed packages, with the build's own tools and their versions. */
const inputs = ["provider", "tools/build", "package.json", "tsconfig.json", "node_modules/.package-lock.json"];

/** The folder `dist` of this repository. */
export const packageTarget: Target = {
  inputs: inputs.map((path) => join(root, path)),
  buildCode: ["tools/build", "node_modules/.package-lock.json"].map((path) => join(root, path)),
  outputDirectory: join(root, "dist"),
  recordPath: join(root, "node_modules", ".cache", "pulumi-agb", "build.json"),
};

/**
 * Brings `dist` up to date. Does nothing if neither its sources nor `dist` itself have changed since the last build.
 *
 * @param options.isForced whether to build in any case. Default: false
 * @throws Error if a source has a syntax error, or imports something that does not exist. Types are not checked. Error if the
 *   sources keep changing during the build
 */
export async function buildPackage(options: { readonly isForced?: boolean } = {}): Promise<void> {
  await bringUpToDate(packageTarget, options, async () => {
    // Loaded only when needed: the bundlers take longer to load than the check above takes.
    const [{ bundleCode }, { bundleConsolePage }, { bundleDeclarations }] = await Promise.all([
      import("./code.js"),
      import("./console-page.js"),
      import("./declarations.js"),
    ]);
    const results = await Promise.all([bundleCode(root), bundleConsolePage(root), bundleDeclarations(root)]);
    return new Map(results.flatMap((files) => [...files]));
  });
}
