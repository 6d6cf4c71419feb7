import { type Clock, systemClock } from "./clock";
import type { OperationName } from "./operations";

/** One answered request. The journal never keeps keys, tokens, queries or bodies. */
export interface JournalEntry {
  /** When it was answered, by the emulator's clock, in milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  /** `unknown` if method and path name no operation; `contextFile` if a file is sent or fetched at a signed address. */
  readonly operation: OperationName | "contextFile" | "unknown";
  readonly method: string;
  /** Without the query, at most 200 characters. */
  readonly path: string;
  /** HTTP status of the reply; 0 if the connection was reset instead. */
  readonly status: number;
  /** From the arrival of the request's headers until its reply was sent. */
  readonly durationMs: number;
  readonly requestId: string;
  /** The session that the request names or creates. */
  readonly sessionId?: string;
}

const entriesKept = 10_000;

/** The last 10,000 requests, and how many requests each operation has had in all. */
export class Journal {
  #entries: JournalEntry[] = [];
  #counts = new Map<JournalEntry["operation"], number>();

  /**
   * @param clock the source of the entries' times
   * @param onEntry called with every entry
   */
  constructor(
    private readonly clock: Clock = systemClock,
    private readonly onEntry?: (entry: JournalEntry) => void,
  ) {}

  add(answered: Omit<JournalEntry, "atMs">): void {
    const entry: JournalEntry = { atMs: this.clock.now(), ...answered };
    this.onEntry?.(entry);
    this.#counts.set(entry.operation, (this.#counts.get(entry.operation) ?? 0) + 1);
    this.#entries.push(entry);
    // Cutting only at twice the size keeps this cheap.
    if (this.#entries.length >= 2 * entriesKept) {
      this.#entries = this.#entries.slice(-entriesKept);
    }
  }

  /**
   * The last entries, oldest first.
   *
   * @param limit how many at most. @default 10,000
   */
  entries(limit: number = entriesKept): JournalEntry[] {
    return this.#entries.slice(-Math.min(limit, entriesKept));
  }

  counts(): Partial<Record<JournalEntry["operation"], number>> {
    return Object.fromEntries(this.#counts);
  }

  clear(): void {
    this.#entries = [];
    this.#counts.clear();
  }
}
