import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { packTar } from "../../provider/lifecycle/tar";

/** Platforms for which Pulumi asks, as it names them. The bundle is the same for all of them: it needs Node. */
const platforms = ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"] as const;

/** Name of the program in the archives. */
export const programName = "pulumi-resource-agb";

/** The name of an archive, which is part of the address from which Pulumi installs it. */
export function archiveName(version: string, platform: string): string {
  return `${programName}-v${version}-${platform}.tar.gz`;
}

/**
 * Packs the program as Pulumi installs it.
 *
 * @returns archives by name, and a file with their SHA-256 checksums
 */
export async function packPlugin(code: string, version: string): Promise<Map<string, Buffer>> {
  const content = Buffer.from(code);
  const file = {
    name: programName,
    sizeBytes: content.length,
    mode: 0o755,
    content: async function* () {
      yield content;
    },
  };
  const archive = gzipSync(await buffer(packTar([file])), { level: 9 });
  const names = platforms.map((platform) => archiveName(version, platform));
  const sum = createHash("sha256").update(archive).digest("hex");
  const sums = names.map((name) => `${sum}  ${name}\n`).join("");
  return new Map([
    ...names.map((name) => [name, archive] as const),
    [`${programName}-v${version}-checksums.txt`, Buffer.from(sums)],
  ]);
}
