// Where Linux allows it, the commands of a session see the session's folder as the root of the file system, with the
// computer's programs in it, so that a path means the same to a command as to the file tools. Elsewhere commands see the
// computer's own file system, and only relative paths and HOME lead into the session's folder.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

// Arguments: the session's root, further folders to show, `--`, the folder to work in, the command.
const enter = `
root=$1; shift
for name in usr bin sbin lib lib32 lib64 libx32 etc dev proc sys opt nix; do
  if [ -L "/$name" ]; then
    [ -e "$root/$name" ] || ln -s "$(readlink "/$name")" "$root/$name"
  elif [ -d "/$name" ]; then
    mkdir -p "$root/$name" && mount --rbind "/$name" "$root/$name" || exit 125
  fi
done
while [ "$1" != -- ]; do
  mkdir -p "$root$1" && mount --rbind "$1" "$root$1" || exit 125
  shift
done
shift
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$@"
`;

const shownAnyway = /^\/(usr|bin|sbin|lib|opt|nix)(\/|$)/;

/** How a session's commands are started. */
export interface SessionView {
  /** Whether commands see the session's folder as the root of the file system. */
  readonly isOwnRoot: boolean;
  /** @param directory absolute path in the session */
  commandLine(root: string, directory: string, command: readonly string[]): readonly string[];
  /** How a command has to spell an absolute path of the session. */
  pathFor(root: string, path: string): string;
}

/** Commands see the computer's own file system. */
export const plainView: SessionView = {
  isOwnRoot: false,
  commandLine: (_root, _directory, command) => command,
  pathFor: (root, path) => join(root, path),
};

/** @param programs absolute paths of programs that sessions may run, wherever they are installed */
export async function findSessionView(programs: readonly string[]): Promise<SessionView> {
  const prefixes = programs.map((program) => dirname(dirname(program))).filter((prefix) => !shownAnyway.test(prefix));
  const folders = [...new Set(prefixes)].filter((prefix) => prefix !== "/");
  const view: SessionView = {
    isOwnRoot: true,
    commandLine: (root, directory, command) => [
      "unshare",
      "--user",
      "--map-root-user",
      "--mount",
      "/bin/sh",
      "-c",
      enter,
      "enter",
      root,
      ...folders,
      "--",
      directory,
      ...command,
    ],
    pathFor: (_root, path) => path,
  };
  const trialRoot = await mkdtemp(join(tmpdir(), "agb-emulator-trial-"));
  try {
    const [file = "", ...args] = view.commandLine(trialRoot, "/", ["true"]);
    await promisify(execFile)(file, args, { timeout: 5_000, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
    return view;
  } catch {
    return plainView;
  } finally {
    await rm(trialRoot, { recursive: true, force: true });
  }
}
