// Commands see the session's folder as the root of the file system, with this computer's programs in it, read-only, and only
// the processes of their session. For that each session has namespaces of its own (mounts, processes and, unless they are
// turned off, users). A first process keeps them. All others end with it, and no process of a session can prevent that.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, realpath } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { SessionSpace, SessionView } from "./session-view";

/** Absolute paths of the programs that create and enter namespaces. */
export interface NamespaceTools {
  readonly unshare: string;
  readonly nsenter: string;
  readonly setpriv: string;
  readonly env: string;
  readonly shell: string;
  /** The only one that may be missing. Without it, sessions inherit the open files that this process has inherited. */
  readonly bash: string | undefined;
}

const systemFolders = "usr bin sbin lib lib32 lib64 libx32 etc sys opt nix";
const searchPath = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
const openingLimitMs = 30_000;
const forceAfterMs = 1_000;
const closingLimitMs = 10_000;

// Root in a session has no capabilities and can never get any, so it can neither undo the mounts nor leave them.
const withoutPrivileges = "--no-new-privs --inh-caps=-all --bounding-set=-all --";

// Runs as the first process of the new namespaces. Arguments: the session's folder, the path of setpriv, the shell's,
// further folders to show.
const prepareScript = `
set -ef
root=$1 setpriv=$2 shell=$3; shift 3
read -r process _ < /proc/self/stat
fail() { echo "$1" >&2; exit 1; }
# Creates a folder in the session and goes there, step by step. The session may have put a link to a folder of this computer
# at any part of the path, and nothing may be created or removed behind one.
place() {
  cd "$root"
  here= rest=\${1#/}/
  while [ -n "$rest" ]; do
    here=$here/\${rest%%/*} name=./\${rest%%/*} rest=\${rest#*/}
    if [ -L "$name" ]; then rm -f "$name"; fi
    if [ -e "$name" ] && [ ! -d "$name" ]; then
      fail "$here in the session must be a folder, but is something else. Delete it, or create another session."
    fi
    [ -d "$name" ] || mkdir "$name"
    cd -P "$name"
    [ "$(pwd -P)" = "$root$here" ] || fail "$here was replaced meanwhile. Try again."
  done
}
show() {
  place "$1"
  mount --rbind "$1" "$root$1"
}
read_only() { mount -o remount,bind,ro "$1"; }
mount --rbind "$root" "$root"
# Links among them are shown as folders, because the session could replace a link but not a mount.
for name in ${systemFolders}; do
  if [ -d "/$name" ]; then show "/$name"; fi
done
for folder; do show "$folder"; done
points=$(while read -r _ _ _ _ point _; do echo "$point"; done < /proc/self/mountinfo)
for point in $points; do
  point=$(printf %b "$point")
  case $point in "$root"/*) read_only "$point" ;; esac
done
place /dev
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
  : > "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
place /proc
mount -t proc proc "$root/proc"
for name in sys irq bus fs sysrq-trigger; do
  if [ -e "$root/proc/$name" ]; then
    mount --bind "$root/proc/$name" "$root/proc/$name"
    read_only "$root/proc/$name"
  fi
done
place /.agb-emulator
cd "$root"
pivot_root . .agb-emulator
cd /
umount -l /.agb-emulator
rmdir /.agb-emulator
exec "$setpriv" ${withoutPrivileges} "$shell" -c '${keepScript()}' "$process"
`;

// Lives until its standard input ends: when the emulator closes it, or ends itself in whatever way.
function keepScript(): string {
  return 'echo "$0"; exec 3<&0 </dev/null >/dev/null 2>&1; cat <&3 & until wait "$!"; do cat <&3 & done';
}

// Closes all open files but standard input, output and error. Without this, sessions could use what the program around the
// emulator has open, and an open folder would lead out of the session's own. A simple shell cannot name files above 9.
const closeScript = `
for path in /proc/self/fd/*; do
  file=\${path##*/}
  if [ "$file" -gt 2 ]; then eval "exec $file>&-"; fi
done
exec "$@"
`;

/** The command line that starts a program with only standard input, output and error open. */
function withNothingElseOpen({ bash }: NamespaceTools, commandLine: readonly string[]): [string, ...string[]] {
  // Without --norc it would read the user's settings for remote shells, because its input is a socket.
  const around = bash === undefined ? [] : [bash, "--norc", "-c", closeScript, "close"];
  return [...around, ...commandLine] as [string, ...string[]];
}

/** Finds the programs; undefined if one is missing, and on every system but Linux. */
export async function findNamespaceTools(): Promise<NamespaceTools | undefined> {
  if (process.platform !== "linux") {
    return undefined;
  }
  try {
    const [unshare, nsenter, setpriv, env, shell] = await Promise.all(
      ["unshare", "nsenter", "setpriv", "env", "sh"].map(findProgram),
    );
    const bash = await findProgram("bash").catch(() => undefined);
    return { unshare, nsenter, setpriv, env, shell, bash } as NamespaceTools;
  } catch {
    return undefined;
  }
}

// Resolves links, because in a session they could lead elsewhere.
async function findProgram(name: string): Promise<string> {
  for (const folder of searchPath) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    ) {
      return realpath(path);
    }
  }
  throw new Error(`${name} is not installed`);
}

/**
 * The view with a root of its own.
 *
 * @param folders further folders of this computer to show, read-only, at the same path
 */
export function ownRootView(tools: NamespaceTools, hasUserNamespace: boolean, folders: readonly string[]): SessionView {
  return {
    isOwnRoot: true,
    readOnlyFolders: [...systemFolders.split(" "), "dev", "proc"].map((name) => `/${name}`).concat(folders),
    open: (root) => openSpace(tools, hasUserNamespace, folders, root),
    pathFor: (_root, path) => path,
  };
}

async function openSpace(
  tools: NamespaceTools,
  hasUserNamespace: boolean,
  folders: readonly string[],
  root: string,
): Promise<SessionSpace> {
  const [program, ...args] = withNothingElseOpen(tools, [
    ...[tools.unshare, ...(hasUserNamespace ? ["--user", "--map-root-user"] : [])],
    ...["--mount", "--pid", "--fork", "--kill-child"],
    ...[tools.shell, "-c", prepareScript, "prepare", root, tools.setpriv, tools.shell, ...folders],
  ]);
  const child = spawn(program, args, {
    cwd: "/",
    env: { PATH: searchPath.join(":") },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  let firstProcess: number;
  try {
    firstProcess = await readFirstProcess(child);
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) {
    (handle as unknown as { unref(): void }).unref();
  }
  return {
    get isOver() {
      return isOver;
    },
    group: child.pid,
    prepare(directory, command, environment) {
      // Passed under names that mean nothing to the programs in between: the session's LD_PRELOAD must not reach them.
      const values = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      const names = values.map((_, index) => `AGB_${index}`);
      const start = `cd "$0" && exec ${tools.env} -i -- ${names.map((name) => `"$${name}"`).join(" ")} "$@"`;
      return {
        commandLine: withNothingElseOpen(tools, [
          ...[tools.nsenter, "--target", String(firstProcess), "--mount", "--pid"],
          ...(hasUserNamespace ? ["--user", "--preserve-credentials"] : []),
          ...["--", tools.setpriv, ...withoutPrivileges.split(" ")],
          ...[tools.shell, "-c", start, directory, ...command],
        ]),
        environment: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""])),
        workingDirectory: "/",
      };
    },
    async close() {
      if (isOver) {
        return;
      }
      child.ref();
      child.stdin.end();
      // The session may have stopped the reader of that input. Killing the first process ends all others as well.
      const force = setTimeout(() => signal(firstProcess), forceAfterMs);
      await Promise.race([ended, sleep(closingLimitMs, undefined, { ref: false })]);
      clearTimeout(force);
    },
  };
}

function signal(process_: number): void {
  try {
    process.kill(process_, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

/** Waits until the namespaces are ready. @returns the number on this computer of their first process */
async function readFirstProcess(child: ChildProcess): Promise<number> {
  let problem = "";
  child.stdin?.on("error", () => {});
  child.stderr?.on("data", (chunk: Buffer) => {
    problem = `${problem}${chunk}`.slice(0, 1_000);
  });
  const lines = createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> });
  const failed = async () => {
    const [exitCode, signalName] = await once(child, "close");
    const end = signalName === null ? `unshare ended with exit code ${exitCode}` : `${signalName} ended unshare`;
    throw new Error(`the session's namespaces could not be created: ${problem.trim() || end}`);
  };
  const late = async () => {
    await sleep(openingLimitMs, undefined, { ref: false });
    throw new Error(`the session's namespaces were not ready within ${openingLimitMs / 1000} s`);
  };
  const outcomes = [once(lines, "line"), failed(), late()];
  for (const outcome of outcomes) {
    // Only the first one counts.
    outcome.catch(() => {});
  }
  const [line] = (await Promise.race(outcomes)) as [string];
  lines.close();
  return Number(line);
}
