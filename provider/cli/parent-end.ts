import { readFileSync } from "node:fs";
import { isRunByNpm } from "./environment";

const lookEveryMs = 500;

/**
 * Calls back once the program that runs this one for npm (`npx`, `npm exec`) has ended. A signal to npm ends the shell
 * between it and this process, but not this process. Without npm nothing is done: a program may well outlive the shell
 * that started it.
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

/** The parent and, where there is a /proc, the parent's parent. */
function parents(): string {
  const parent = process.ppid;
  try {
    const stat = readFileSync(`/proc/${parent}/stat`, "utf8");
    return `${parent} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]}`;
  } catch {
    return String(parent);
  }
}
