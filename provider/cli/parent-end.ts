import { readFileSync } from "node:fs";
import { isRunByNpm } from "./environment";

const lookEveryMs = 500;

/**
 * Calls back when npm (`npx`, `npm exec`), which runs this program, has ended. A signal to npm ends the shell between npm
 * and this process, but not this process. Does nothing without npm, because a program may outlive the shell that started it.
 */
export function onParentEnd(callBack: () => void): void {
  if (!isRunByNpm()) {
    return;
  }
  const atStart = parents();
  const timer = setInterval(() => {
    if (parents() !== atStart) {
      clearInterval(timer);
      callBack();
    }
  }, lookEveryMs);
  timer.unref();
}

/** The parent and, if there is a /proc, the parent's parent. */
function parents(): string {
  const parent = process.ppid;
  try {
    const stat = readFileSync(`/proc/${parent}/stat`, "utf8");
    return `${parent} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]}`;
  } catch {
    return String(parent);
  }
}
