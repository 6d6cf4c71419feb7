// The keeper is a small shell process that outlives the emulator by a moment. It holds the other end of a pipe, so it notices
// when the emulator ends, also when it is killed. Then it ends what the sessions still run.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

// Lines of its input: `+ GROUP` and `- GROUP`. Where there is a /proc, processes that left their group are found by a mark
// in their environment or by their working directory.
const script = `
trap '' HUP INT TERM
mark=$1 folder=$2 is_temporary=$3
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -KILL "-$group"; done
grep -la "$mark" /proc/[0-9]*/environ | while IFS=/ read -r _ _ process _; do kill -KILL "$process"; done
for process in /proc/[0-9]*; do
  case $(readlink "$process/cwd")/ in
    "$folder"/*)
      fields=$(cat "$process/stat")
      # Those with a terminal belong to somebody who looks at a session's files.
      set -- \${fields##*) }
      if [ "$5" = 0 ]; then kill -KILL "\${process#/proc/}"; fi
      ;;
  esac
done
if [ -n "$is_temporary" ]; then chmod -R u+rwx "$folder"; rm -rf -- "$folder"; fi
`;

/** Ends process groups as soon as the emulator ends. */
export class Keeper {
  readonly #child: ChildProcess;

  /**
   * @param mark part of the environment of every process of a session
   * @param folder the sessions' folder. A process whose working directory is in it is a session's, whatever its environment.
   * @param isTemporary whether the folder is removed at the end
   */
  constructor(mark: string, folder: string, isTemporary: boolean) {
    this.#child = spawn("/bin/sh", ["-c", script, "keeper", mark, folder, isTemporary ? "yes" : ""], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
      cwd: "/",
    });
    this.#child.on("error", () => {});
    this.#child.stdin?.on("error", () => {});
    this.#child.unref();
    (this.#child.stdin as unknown as { unref(): void }).unref();
  }

  add(group: number): void {
    this.#child.stdin?.write(`+ ${group}\n`);
  }

  remove(group: number): void {
    this.#child.stdin?.write(`- ${group}\n`);
  }

  /** Ends the groups now, and waits for it. */
  async close(): Promise<void> {
    const isOver = this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
    const over = isOver ? undefined : once(this.#child, "exit");
    this.#child.ref();
    this.#child.stdin?.end();
    await over;
  }
}
