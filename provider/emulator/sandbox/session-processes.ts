import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Keeper } from "./keeper";

/** The processes that one session runs, also those in the background. */
export class SessionProcesses {
  readonly #groups = new Set<number>();

  /**
   * @param mark part of the environment of this session's processes and of no others
   * @param root the session's folder. A process without a terminal whose working directory is in it is the session's.
   */
  constructor(
    private readonly mark: string,
    private readonly root: string,
    private readonly keeper: Keeper,
  ) {}

  add(group: number): void {
    this.#groups.add(group);
    this.keeper.add(group);
  }

  /** Forgets a group that has ended, because its number may soon belong to another one. */
  forgetIfOver(group: number): void {
    if (!signal(-group, 0)) {
      this.#groups.delete(group);
      this.keeper.remove(group);
    }
  }

  /** Kills all processes of the session, also those that left their group where there is a /proc. */
  killAll(): void {
    // Repeats while it finds any, because one may have started another in between. Bounded, because some may not be ours.
    for (let round = 0; round < 10; round += 1) {
      for (const group of this.#groups) {
        signal(-group, "SIGKILL");
      }
      const found = processesOf(this.mark, this.root);
      for (const process of found) {
        signal(process, "SIGKILL");
      }
      if (found.length === 0) {
        break;
      }
    }
    for (const group of this.#groups) {
      this.keeper.remove(group);
    }
    this.#groups.clear();
  }
}

function signal(process_: number, name: "SIGKILL" | 0): boolean {
  try {
    return process.kill(process_, name);
  } catch {
    return false;
  }
}

function processesOf(mark: string, root: string): number[] {
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return [];
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return (
          readFileSync(`/proc/${name}/environ`, "latin1").includes(mark) ||
          (`${readlinkSync(`/proc/${name}/cwd`)}/`.startsWith(`${root}/`) && !hasTerminal(name))
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

// A shell in which someone looks at a session's files has one.
function hasTerminal(process_: string): boolean {
  const stat = readFileSync(`/proc/${process_}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[4] !== "0";
}
