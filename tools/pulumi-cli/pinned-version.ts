import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The root folder of this checkout. */
export const projectDirectory = join(__dirname, "..", "..");

/**
 * Reads the Pulumi version that this project is developed with, such as `3.245.0`. Only the devDependency `@pulumi/pulumi`
 * in package.json names it. The CLI is installed in the same version.
 *
 * @throws Error when package.json has no exact version there
 */
export function readPinnedVersion(packageJsonPath = join(projectDirectory, "package.json")): string {
  const manifest = JSON.parse(readFileSync(packageJsonPath, "utf8")) as { devDependencies?: Record<string, string> };
  const version = manifest.devDependencies?.["@pulumi/pulumi"];
  if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(
      `${packageJsonPath} must pin the devDependency @pulumi/pulumi to an exact version, but has ${version ?? "none"}`,
    );
  }
  return version;
}
