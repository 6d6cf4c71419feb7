// The lines of a state file, which is a log. The first line says what the file is. Every other line is one commit: a JSON
// list of changes that belong together. A commit without a line end was cut off when its process was killed, so nobody
// was told that it succeeded.
//
// Changes are known here only by kind and id. What a kind holds is in schema.ts.

/** One change: the new value of something; without a value it is gone. Single values have the id "". */
export interface Change {
  readonly kind: string;
  readonly id: string;
  readonly value?: unknown;
}

/** What a log holds, by kind and id. The last one that changed comes last. */
export type Logged = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

/** The line of a commit; empty when nothing has changed. */
export function commitLine(changes: readonly Change[]): string {
  return changes.length === 0 ? "" : `${JSON.stringify(changes)}\n`;
}

/** One line for each change, so that people can read a whole state. */
export function changePerLine(changes: readonly Change[]): string {
  return changes.map((change) => commitLine([change])).join("");
}

/**
 * Reads the commits after the first line.
 *
 * @returns what is logged, not yet checked, or the number of the damaged line, counted from 1 in the whole file
 */
export function readCommits(lines: readonly string[]): { logged: Logged } | { damagedLine: number } {
  const logged = new Map<string, Map<string, unknown>>();
  for (const [index, line] of lines.entries()) {
    const changes = parseChanges(line);
    if (changes === undefined) {
      return { damagedLine: index + 2 };
    }
    for (const { kind, id, value } of changes) {
      const entries = logged.get(kind) ?? new Map<string, unknown>();
      logged.set(kind, entries);
      entries.delete(id);
      if (value !== undefined) {
        entries.set(id, value);
      }
    }
  }
  return { logged };
}

function parseChanges(line: string): readonly Change[] | undefined {
  try {
    const changes: unknown = JSON.parse(line);
    return Array.isArray(changes) && changes.every(isChange) ? changes : undefined;
  } catch {
    return undefined;
  }
}

function isChange(value: unknown): value is Change {
  const { kind, id } = (value ?? {}) as Partial<Change>;
  return typeof kind === "string" && typeof id === "string";
}
