// The keeper is a small shell process that outlives the emulator by a moment: it holds the other end of a pipe, so it
// notices when the emulator ends, also when it is killed, and then ends what the sessions still run.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

// Lines on its input: `+ GROUP` and `- GROUP`. Processes that left their group are found by a mark in their environment or
// by the folder they work in, where there is a /proc.
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
      # Those with a terminal are not a session's: somebody looks at its files.
      set -- \${fields##*) }
      if [ "$5" = 0 ]; then kill -KILL "\${process#/proc/}"; fi
      ;;
  esac
done
if [ -n "$is_temporary" ]; then chmod -R u+rwx "$folder"; rm -rf -- "$folder"; fi
`;

/** Ends the process groups it was told of as soon as the emulator ends. */
export class Keeper {
  readonly #child: ChildProcess;

  /**
   * @param mark what stands in the environment of every process of a session
   * @param folder the sessions' folder: a process that works in it is a session's, whatever its environment
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

  /** Lets it do its work now, and waits for it. */
  async close(): Promise<void> {
    const isOver = this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
    const over = isOver ? undefined : once(this.#child, "exit");
    this.#child.ref();
    this.#child.stdin?.end();
    await over;
  }
}
