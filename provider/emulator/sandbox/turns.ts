/** Runs the tasks of one key one after the other, in the order in which they came. Tasks of other keys do not wait. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Runs a task when all earlier ones of the key have ended.
   *
   * @throws what the task throws
   */
  async take(key: string, task: () => Promise<void>): Promise<void> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(task);
    const ended = turn.catch(() => {});
    this.#last.set(key, ended);
    try {
      await turn;
    } finally {
      if (this.#last.get(key) === ended) {
        this.#last.delete(key);
      }
    }
  }
}
