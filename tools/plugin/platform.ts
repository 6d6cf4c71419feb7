const systems: Readonly<Record<string, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };
const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * Returns Pulumi's name of a platform, such as `linux-amd64`.
 *
 * @param system default: that of this process
 * @param architecture default: that of this process
 * @throws Error if Pulumi does not run there
 */
export function pulumiPlatform(system: string = process.platform, architecture: string = process.arch): string {
  const names = [systems[system], architectures[architecture]];
  if (names.includes(undefined)) {
    throw new Error(
      `No executable was built: Pulumi has no plugins for ${system} on ${architecture}. Build on Linux, macOS or Windows, x64 or arm64, or only the bundle: npm run package:plugin -- --bundle-only`,
    );
  }
  return names.join("-");
}
