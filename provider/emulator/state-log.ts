// The text of a state file: a log. Its first line says what it is; every other line is one commit, a JSON list of changes
// that belong together. A commit that was cut off, because its process was killed while it wrote, ends without a line's
// end and was never acknowledged.
//
// What is stored is known here only as kinds: a list whose entries have ids, or a single number. The schema of each kind
// is the state file's business.

import type { StoredState } from "./store";

/** One change: the value that something has from now on; without a value it is gone. Single numbers have the id "". */
interface Change {
  readonly kind: string;
  readonly id: string;
  readonly value?: unknown;
}

type ListKind = {
  [Kind in keyof StoredState]-?: StoredState[Kind] extends readonly object[] ? Kind : never;
}[keyof StoredState];

// What tells the entries of each list apart. A list that is missing here is a mistake that the compiler reports.
const idFields: { readonly [Kind in ListKind]: keyof StoredState[Kind][number] } = { sessions: "sessionId" };

/** What a log holds, by kind and id. Entries are compared by identity: they never change in place. */
export type Logged = Map<string, Map<string, unknown>>;

/**
 * The line that turns what is logged into the state; notes it as logged.
 *
 * @returns an empty text when nothing has changed
 */
export function writeCommit(logged: Logged, state: StoredState): string {
  const changes = changesTo(logged, state);
  return changes.length === 0 ? "" : `${JSON.stringify(changes)}\n`;
}

/** A whole state, one line for each thing, so that people can read it. */
export function writeWhole(state: StoredState): { readonly text: string; readonly logged: Logged } {
  const logged: Logged = new Map();
  const lines = changesTo(logged, state).map((change) => `${JSON.stringify([change])}\n`);
  return { text: lines.join(""), logged };
}

/**
 * Reads the commits after the first line.
 *
 * @returns the state, not yet checked, or the number of the line that is damaged, counted from 1 in the whole file
 */
export function readCommits(lines: readonly string[]): { state: Record<string, unknown> } | { damagedLine: number } {
  const kinds = new Map<string, Map<string, unknown>>();
  for (const [index, line] of lines.entries()) {
    const changes = parseChanges(line);
    if (changes === undefined) {
      return { damagedLine: index + 2 };
    }
    for (const { kind, id, value } of changes) {
      const entries = kinds.get(kind) ?? new Map<string, unknown>();
      kinds.set(kind, entries);
      if (value === undefined) {
        entries.delete(id);
      } else {
        entries.set(id, value);
      }
    }
  }
  const state: Record<string, unknown> = Object.fromEntries(Object.keys(idFields).map((kind) => [kind, []]));
  for (const [kind, entries] of kinds) {
    state[kind] = Object.hasOwn(idFields, kind) ? [...entries.values()] : entries.get("");
  }
  return { state };
}

function changesTo(logged: Logged, state: StoredState): Change[] {
  const changes: Change[] = [];
  for (const [kind, value] of Object.entries(state)) {
    const before = logged.get(kind) ?? new Map<string, unknown>();
    logged.set(kind, before);
    const idField = (idFields as Record<string, string>)[kind];
    if (idField === undefined) {
      noteValue(before, kind, "", value, changes);
    } else {
      noteList(before, kind, value as readonly Entry[], idField, changes);
    }
  }
  return changes;
}

type Entry = Readonly<Record<string, string>>;

function noteValue(before: Map<string, unknown>, kind: string, id: string, value: unknown, changes: Change[]): void {
  if (before.get(id) !== value) {
    before.set(id, value);
    changes.push({ kind, id, value });
  }
}

function noteList(
  before: Map<string, unknown>,
  kind: string,
  entries: readonly Entry[],
  idField: string,
  changes: Change[],
): void {
  for (const entry of entries) {
    noteValue(before, kind, entry[idField] as string, entry, changes);
  }
  // All entries are noted by now, so there are more of them only when some are gone.
  if (before.size > entries.length) {
    const ids = new Set(entries.map((entry) => entry[idField]));
    for (const id of before.keys()) {
      if (!ids.has(id)) {
        before.delete(id);
        changes.push({ kind, id });
      }
    }
  }
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
