import { type Clock, systemClock } from "./clock";
import type { OperationName } from "./operations";

/** One answered request. Keys, tokens, queries and bodies are never kept. */
export interface JournalEntry {
  /** When it was answered by the emulator's clock, in milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  /** `unknown` when method and path name no operation, `contextFile` when a file is sent or fetched at a signed address. */
  readonly operation: OperationName | "contextFile" | "unknown";
  readonly method: string;
  /** Without the query, at most 200 characters. */
  readonly path: string;
  /** HTTP status of the reply; 0 when the connection was reset instead. */
  readonly status: number;
  /** From the request's headers to the moment its reply was sent. */
  readonly durationMs: number;
  readonly requestId: string;
  /** The session that was asked about or made, when the request names one. */
  readonly sessionId?: string;
}

const entriesKept = 10_000;

/** The last 10,000 requests and the number of all of them by operation. */
export class Journal {
  #entries: JournalEntry[] = [];
  #counts = new Map<JournalEntry["operation"], number>();

  /**
   * @param clock where entries take their time from
   * @param onEntry is told of every entry
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
    // Cutting only at twice the size keeps adding cheap.
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
