import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeAfterTest } from "./close-after-test";

/** A disk that a test can fill, below a folder. */
export interface SmallDisk {
  /** What a command line begins with that uses the disk. The folder has the same path there. */
  prefix(): readonly string[];
  /** The folder's path for this process. */
  readonly seenFrom: string;
  /** Fills the disk, or what is left of it. @param freeBytes how much stays free. Default: none */
  fill(freeBytes?: number): void;
  /** Leaves room for so many new files. Not every disk counts its files, see `countsFiles`. */
  fillFiles(freeFiles: number): void;
  /** Makes room again. */
  empty(): void;
}

/** How a test gets a disk that is full. */
export interface DiskKind {
  readonly name: string;
  /** Whether its number of files has a limit. */
  readonly countsFiles: boolean;
  /** Puts a disk in the place of an empty folder, until the test ends. */
  open(folder: string): Promise<SmallDisk>;
}

const diskBytes = 1024 * 1024;
const diskFiles = 300;

// Every user may lower this limit. No file gets more bytes then, and programs fail as on a full disk.
const limitedFiles: DiskKind = {
  name: "files that get no bytes (ulimit)",
  countsFiles: false,
  async open(folder) {
    const blockBytes = 512;
    let blocks = diskBytes / blockBytes;
    return {
      seenFrom: folder,
      // Without the trap, the signal XFSZ would kill the program that writes.
      prefix: () => ["dash", "-c", `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`, "sh"],
      fill: (freeBytes = 0) => {
        blocks = Math.floor(freeBytes / blockBytes);
      },
      fillFiles: () => {
        throw new Error("this disk does not count its files");
      },
      empty: () => {
        blocks = diskBytes / blockBytes;
      },
    };
  },
};

// The mount is seen only in a namespace, which ends with its only process.
const smallMount: DiskKind = {
  name: "a small disk (tmpfs)",
  countsFiles: true,
  async open(folder) {
    const holder = await startNamespace(folder);
    const user = process.getuid?.() === 0 ? [] : ["--user", "--preserve-credentials"];
    const enter = ["nsenter", "--target", String(holder.pid), "--mount", ...user];
    const inside = (script: string) =>
      execFileSync(enter[0] as string, [...enter.slice(1), "dash", "-c", script, "sh", folder]);
    return {
      seenFrom: `/proc/${holder.pid}/root${folder}`,
      prefix: () => enter,
      // `dd` leaves the part that it could write.
      fill: (freeBytes = 0) => {
        inside(`dd if=/dev/zero of="$1/filler" bs=4096 2>/dev/null; truncate -s -${freeBytes} "$1/filler"`);
      },
      fillFiles: (freeFiles) => {
        inside(
          `mkdir -p "$1/fillers" && cd "$1/fillers" && n=0; while true 2>/dev/null >"$n"; do n=$((n+1)); done 2>/dev/null`,
        );
        inside(`cd "$1/fillers" && ls | head -n ${freeFiles} | xargs rm -f`);
      },
      empty: () => {
        inside('rm -rf "$1/filler" "$1/fillers"');
      },
    };
  },
};

function startArguments(folder: string): string[] {
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-current-user", "--keep-caps"];
  const mount = `mount -t tmpfs -o size=${diskBytes},nr_inodes=${diskFiles},mode=0777 tmpfs "$0" && echo ready && exec sleep 600`;
  return ["--mount", ...user, "sh", "-c", mount, folder];
}

async function startNamespace(folder: string): Promise<ChildProcess> {
  const holder = spawn("unshare", startArguments(folder), { stdio: ["ignore", "pipe", "inherit"] });
  closeAfterTest({ close: () => holder.kill("SIGKILL") });
  await once(holder.stdout, "data");
  return holder;
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "agb-mount-"));
  const args = startArguments(folder).map((part) => part.replace("exec sleep 600", "true"));
  const { status } = spawnSync("unshare", args);
  rmSync(folder, { recursive: true });
  if (status !== 0) {
    process.stderr.write(
      "\n!!! This user may not mount a small disk, so the tests of full disks only use a limit of files (ulimit).\n" +
        "!!! Not tested: a disk without room for another file. Run the tests as root, or allow user namespaces.\n\n",
    );
  }
  return status === 0;
}

/** The kinds of full disks that this computer has: always the limit of files, and a small disk where it can be mounted. */
export const diskKinds: readonly DiskKind[] = canMount() ? [limitedFiles, smallMount] : [limitedFiles];
