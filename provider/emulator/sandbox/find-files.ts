import { readdir } from "node:fs/promises";
import { posix } from "node:path";
import type { Sandbox } from "./sandbox";
import { holdFolder } from "./session-paths";

/** A regular file of a session, or a place where files may be that cannot be named or read. */
export interface FoundFile {
  readonly relativePath: string;
  /** Why it cannot be copied; undefined if it can. */
  readonly problem?: unknown;
}

/** The entry of a folder with its name as it is on disk, which need not be valid UTF-8. */
interface RawEntry {
  readonly name: Buffer;
  isDirectory(): boolean;
  isFile(): boolean;
}

/**
 * Finds the regular files below a folder of a session. Links, pipes and devices are left out.
 *
 * @throws Error with a system error code when there is no such folder
 */
export async function findFiles(sandbox: Sandbox, path: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  const mount = await sandbox.openFolder(path);
  await mount.close();
  const folders = [""];
  for (let relativeFolder = folders.pop(); relativeFolder !== undefined; relativeFolder = folders.pop()) {
    let entries: readonly RawEntry[];
    try {
      // Not resolved step by step like a path from outside, which would take too long in a deep tree. Holding the folder
      // makes sure that it is inside.
      entries = await readEntries(sandbox.root, posix.join(sandbox.root, mount.path, relativeFolder));
    } catch (problem) {
      if ((problem as NodeJS.ErrnoException).code !== "ENOENT") {
        found.push({ relativePath: relativeFolder, problem });
      }
      continue;
    }
    for (const entry of entries) {
      const name = entry.name.toString("utf8");
      const relativePath = posix.join(relativeFolder, name);
      if (!entry.isDirectory() && !entry.isFile()) {
        continue;
      }
      if (!Buffer.from(name).equals(entry.name)) {
        found.push({ relativePath, problem: new Error("its name is not UTF-8") });
      } else if (entry.isDirectory()) {
        folders.push(relativePath);
      } else {
        found.push({ relativePath });
      }
    }
  }
  return found;
}

async function readEntries(root: string, path: string): Promise<readonly RawEntry[]> {
  const folder = await holdFolder(root, path);
  try {
    // Node's types have only entries whose names are strings.
    const options = { withFileTypes: true, encoding: "buffer" } as unknown as { withFileTypes: true };
    return (await readdir(folder.here, options)) as unknown as readonly RawEntry[];
  } finally {
    await folder.close();
  }
}
