import { newEmulatorId, randomString } from "../identifiers";
import { type Rows, type SingleValues, singleValues, tables } from "./schema";
import type { Change, Logged } from "./state-log";
import { Table } from "./table";

/** A state that was read does not have the form that this emulator writes. */
export class DamagedState extends Error {
  override readonly name = "DamagedState";

  /** @param place the kind and the id of what is damaged, such as `sessions.session-a.labels` */
  constructor(readonly place: string) {
    super(`damaged at ${place}`);
  }
}

/** Everything that outlives a restart, except the contents of files. Knows what has changed since it was last written. */
export class EmulatorState {
  readonly #changed = new Map<string, Set<string>>();
  readonly #tables = {
    sessions: this.#newTable("sessions"),
    contexts: this.#newTable("contexts"),
    contextFiles: this.#newTable("contextFiles"),
    syncTasks: this.#newTable("syncTasks"),
  };
  #values: SingleValues = {
    nextSequence: 1,
    emulatorId: newEmulatorId(),
    fileSecret: randomString(43),
    clockOffsetMs: 0,
  };

  /** @param isWritten whether it is written anywhere; if not, changes are not remembered */
  constructor(private readonly isWritten: boolean) {}

  get sessions(): Table<Rows["sessions"]> {
    return this.#tables.sessions;
  }

  get contexts(): Table<Rows["contexts"]> {
    return this.#tables.contexts;
  }

  get contextFiles(): Table<Rows["contextFiles"]> {
    return this.#tables.contextFiles;
  }

  get syncTasks(): Table<Rows["syncTasks"]> {
    return this.#tables.syncTasks;
  }

  /** Identity of this state; undefined when it ends with the process, because then another run is another service. */
  get emulatorId(): string | undefined {
    return this.isWritten ? this.#values.emulatorId : undefined;
  }

  get fileSecret(): string {
    return this.#values.fileSecret;
  }

  get clockOffsetMs(): number {
    return this.#values.clockOffsetMs;
  }

  set clockOffsetMs(clockOffsetMs: number) {
    this.#set({ clockOffsetMs });
  }

  /** A number for a new session or context. Each is larger than all before it, so it says which of two is newer. */
  takeSequence(): number {
    const { nextSequence } = this.#values;
    this.#set({ nextSequence: nextSequence + 1 });
    return nextSequence;
  }

  /** What has changed since the last call. */
  takeChanges(): Change[] {
    const changes: Change[] = [];
    for (const [kind, ids] of this.#changed) {
      for (const id of ids) {
        changes.push({ kind, id, value: this.#find(kind, id) });
      }
    }
    this.#changed.clear();
    return changes;
  }

  /** The whole state as changes to an empty one. */
  allAsChanges(): Change[] {
    const values = Object.entries(this.#values).map(([kind, value]) => ({ kind, id: "", value }));
    const rows = Object.entries(this.#tables).flatMap(([kind, table]) =>
      [...table.values()].map((row) => ({ kind, id: (table as Table<object>).idOf(row), value: row })),
    );
    return [...values, ...rows];
  }

  /** @throws DamagedState when something is missing or has another form */
  load(logged: Logged): void {
    const values = Object.keys(singleValues.shape).map((kind) => [kind, logged.get(kind)?.get("")]);
    const parsed = singleValues.safeParse(Object.fromEntries(values));
    if (!parsed.success) {
      throw new DamagedState(parsed.error.issues[0]?.path.join(".") ?? "");
    }
    this.#values = parsed.data;
    this.sessions.load(readRows("sessions", logged).sort(bySequence));
    this.contexts.load(readRows("contexts", logged).sort(bySequence));
    this.contextFiles.load(readRows("contextFiles", logged));
    this.syncTasks.load(readRows("syncTasks", logged));
  }

  #newTable<Kind extends keyof Rows>(kind: Kind): Table<Rows[Kind]> {
    return new Table<Rows[Kind]>(tables[kind].idOf, (id) => this.#noteChange(kind, id));
  }

  #set(values: Partial<SingleValues>): void {
    this.#values = { ...this.#values, ...values };
    for (const kind of Object.keys(values)) {
      this.#noteChange(kind, "");
    }
  }

  #noteChange(kind: string, id: string): void {
    if (!this.isWritten) {
      return;
    }
    const ids = this.#changed.get(kind);
    if (ids === undefined) {
      this.#changed.set(kind, new Set([id]));
    } else {
      // What is added again last is the newest in the log, too.
      ids.delete(id);
      ids.add(id);
    }
  }

  #find(kind: string, id: string): unknown {
    return Object.hasOwn(this.#tables, kind)
      ? this.#tables[kind as keyof Rows].get(id)
      : this.#values[kind as keyof SingleValues];
  }
}

function readRows<Kind extends keyof Rows>(kind: Kind, logged: Logged): Rows[Kind][] {
  const { schema, idOf } = tables[kind];
  return [...(logged.get(kind) ?? [])].map(([id, value]) => {
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      throw new DamagedState([kind, id, ...(parsed.error.issues[0]?.path ?? [])].join("."));
    }
    if (idOf(parsed.data) !== id) {
      throw new DamagedState(`${kind}.${id}`);
    }
    return parsed.data;
  });
}

function bySequence(left: { readonly sequence: number }, right: { readonly sequence: number }): number {
  return left.sequence - right.sequence;
}
