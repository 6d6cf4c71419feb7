/** Returns what identifies a row in its table. */
export type IdOf<Row> = (row: Row) => string;

/**
 * The rows of one kind by id, in the order in which they were added. Rows are never changed in place: a changed row is
 * put in the place of the old one, and the table reports the id.
 */
export class Table<Row extends object> {
  readonly #rows = new Map<string, Row>();

  /** @param onChange called with the id of every row that is added, replaced or removed */
  constructor(
    readonly idOf: IdOf<Row>,
    private readonly onChange: (id: string) => void,
  ) {}

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  /** Oldest first. */
  values(): IterableIterator<Row> {
    return this.#rows.values();
  }

  /** Adds a row, or replaces the one that has its id, which keeps its place. */
  put(row: Row): void {
    const id = this.idOf(row);
    this.#rows.set(id, row);
    this.onChange(id);
  }

  delete(id: string): void {
    if (this.#rows.delete(id)) {
      this.onChange(id);
    }
  }

  clear(): void {
    for (const id of [...this.#rows.keys()]) {
      this.delete(id);
    }
  }

  /** Replaces all rows without reporting a change. */
  load(rows: readonly Row[]): void {
    this.#rows.clear();
    for (const row of rows) {
      this.#rows.set(this.idOf(row), row);
    }
  }
}
