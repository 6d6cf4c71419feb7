import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Collects the licenses of the packages whose code is in a bundle.
 *
 * @param inputs paths of the bundled files, relative to `root`
 * @throws Error if a package has no license file
 */
export async function collectLicenses(root: string, inputs: readonly string[]): Promise<string> {
  const folders = new Set(
    inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path.replaceAll("\\", "/"))?.[1] ?? []),
  );
  const texts = await Promise.all([...folders].sort().map((folder) => licenseOf(join(root, folder))));
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

async function licenseOf(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file)).sort();
  if (files.length === 0 && typeof license !== "string") {
    throw new Error(
      `The plugin was not built: nothing says under which license ${name} ${version} may be distributed.`,
    );
  }
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return [`${name} ${version}, ${license ?? "see below"}`, ...texts.map((text) => text.trim())]
    .join("\n\n")
    .concat("\n");
}
