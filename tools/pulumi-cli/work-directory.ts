import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const prefix = "installing-";
const abandonedAfterMs = 2 * 60 * 60_000;

/**
 * Runs `work` with an empty folder inside `parent` and removes it afterwards. Also removes the folders of killed processes
 * when they are older than two hours, which is longer than any installation takes.
 */
export async function withWorkDirectory<T>(parent: string, work: (directory: string) => Promise<T>): Promise<T> {
  await removeAbandoned(parent);
  const directory = await mkdtemp(join(parent, prefix));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function removeAbandoned(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const path = join(parent, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > abandonedAfterMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
