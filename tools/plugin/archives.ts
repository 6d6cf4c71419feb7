// The archives that `pulumi plugin install` takes. They depend only on their files, not on clock, user or folder.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { packTar } from "../../provider/lifecycle/tar";
import type { Bundle } from "./bundle";

/** Name of the program in the archives. */
export const programName = "pulumi-resource-agb";

/** What stands for the platform in the name of the archive that needs Node. Pulumi never asks for it by itself. */
export const nodePlatform = "node";

interface ArchivedFile {
  readonly name: string;
  readonly content: string | Buffer;
  readonly isExecutable?: boolean;
}

const launchers = join(__dirname, "launcher");
const ownLicense = join(__dirname, "..", "..", "LICENSE");
// gzip's header names the system that packed. 255 stands for "unknown".
const systemOffset = 9;

/**
 * The name of an archive. Pulumi makes it from version and platform when it installs the plugin by itself.
 *
 * @param platform such as `linux-amd64`
 */
export function archiveName(version: string, platform: string): string {
  return `${programName}-v${version}-${platform}.tar.gz`;
}

/** The name of the file with the checksums of all archives of a version. */
export function checksumsName(version: string): string {
  return `${programName}-v${version}-checksums.txt`;
}

/** Packs the program that needs Node, for all systems: the code, and what starts it on Windows and elsewhere. */
export async function packBundle(bundle: Bundle): Promise<Buffer> {
  const launcher = async (name: string) => readFile(join(launchers, name), "utf8");
  return packArchive([
    { name: programName, content: await launcher(programName), isExecutable: true },
    // The command processor of Windows may misread lines that end as elsewhere.
    {
      name: `${programName}.cmd`,
      content: (await launcher(`${programName}.cmd`)).replaceAll(/\r?\n/g, "\r\n"),
      isExecutable: true,
    },
    // `.cjs`, because a package.json in a folder above could make a module of it.
    { name: `${programName}.cjs`, content: bundle.code },
    ...(await licenseFiles(bundle)),
  ]);
}

/** Packs the executable of one platform. */
export async function packExecutable(executable: Buffer, platform: string, bundle: Bundle): Promise<Buffer> {
  const name = platform.startsWith("windows-") ? `${programName}.exe` : programName;
  const node = `This program contains Node.js ${process.version}. License: https://github.com/nodejs/node/blob/${process.version}/LICENSE\n\n`;
  return packArchive([{ name, content: executable, isExecutable: true }, ...(await licenseFiles(bundle, node))]);
}

/** Returns the lines of a checksums file, which `sha256sum --check` reads. */
export function checksumLines(archives: ReadonlyMap<string, Buffer>): string {
  return [...archives]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, content]) => `${createHash("sha256").update(content).digest("hex")}  ${name}\n`)
    .join("");
}

async function licenseFiles({ licenses }: Bundle, more = ""): Promise<ArchivedFile[]> {
  return [
    { name: "LICENSE", content: await readFile(ownLicense, "utf8") },
    { name: "THIRD-PARTY-LICENSES", content: `${more}${licenses}` },
  ];
}

async function packArchive(files: readonly ArchivedFile[]): Promise<Buffer> {
  const entries = files.map(({ name, content, isExecutable }) => {
    const bytes = Buffer.from(content);
    return {
      name,
      sizeBytes: bytes.length,
      mode: isExecutable ? 0o755 : 0o644,
      content: async function* () {
        yield bytes;
      },
    };
  });
  const packed = await promisify(gzip)(await buffer(packTar(entries)));
  packed[systemOffset] = 255;
  return packed;
}
