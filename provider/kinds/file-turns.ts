import { isAtOrBelow } from "./declared-files";

/** Where files are put: a session, and the path of a file or a folder in it. */
export interface FilePlace {
  readonly sessionId: string;
  readonly path: string;
}

/**
 * Lets work on places that may have the same file run one after the other, in the order in which it was asked for. Pulumi updates
 * resources at the same time. A file that moves from one to another would be lost if the new one finds it in place before the
 * former one removes it. Other work does not wait.
 */
export class FileTurns {
  private readonly running = new Set<{ readonly place: FilePlace; readonly ended: Promise<unknown> }>();

  async take<Result>(place: FilePlace, work: () => Promise<Result>): Promise<Result> {
    const before = [...this.running].filter((other) => overlaps(other.place, place)).map(({ ended }) => ended);
    const result = Promise.all(before).then(work);
    const turn = { place, ended: result.catch(() => {}) };
    this.running.add(turn);
    try {
      return await result;
    } finally {
      this.running.delete(turn);
    }
  }
}

function overlaps(one: FilePlace, other: FilePlace): boolean {
  const isNear = isAtOrBelow(one.path, other.path) || isAtOrBelow(other.path, one.path);
  return one.sessionId === other.sessionId && isNear;
}
