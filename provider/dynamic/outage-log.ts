import type { ExchangeNotice, RetryNotice } from "../api/client";
import { type AgbError, AgbNetworkError } from "../api/errors";

/** What goes wrong: no connection, connections that break, replies 408 and 5xx, or 429. */
type Trouble = "unreachable" | "broken" | "failing" | "limited";

interface Outage {
  readonly startedMs: number;
  lastFailureMs: number;
  /** What has been said of it. */
  readonly told: Set<Trouble>;
}

// How long a trouble that was told is not told again: a service that fails every other call would fill the screen.
const quietMs = 60_000;

/**
 * Tells the user of an outage of one endpoint: one line when calls begin to fail and are made again, however many do,
 * one line when the trouble changes its kind, and one line when it is over, with how long it lasted. The same kind of
 * trouble is told no more than once a minute, so an endpoint that comes and goes has few lines too.
 *
 * Being limited (HTTP 429) is told in the same way, with what helps, but its end is not: AGB answers other calls
 * meanwhile, so nothing is over when one gets through.
 *
 * Calls that fail for good are not told here; they are errors of their resources.
 */
export class OutageLog {
  private outage: Outage | undefined;
  private readonly lastToldMs = new Map<Trouble, number>();

  /**
   * @param endpoint base URL, for the last line
   * @param write takes a line; Pulumi shows what a provider writes to its error stream as a diagnostic of the run
   * @param now the present time in milliseconds
   */
  constructor(
    private readonly endpoint: string,
    private readonly write: (line: string) => void = (line) => console.error(line),
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Takes note of a try that failed and will be made again. */
  seeRetry({ error }: RetryNotice): void {
    const nowMs = this.now();
    this.outage ??= { startedMs: nowMs, lastFailureMs: nowMs, told: new Set() };
    this.outage.lastFailureMs = nowMs;
    const trouble = troubleOf(error);
    const isQuiet = nowMs - (this.lastToldMs.get(trouble) ?? Number.NEGATIVE_INFINITY) < quietMs;
    if (this.outage.told.has(trouble) || isQuiet) {
      return;
    }
    this.outage.told.add(trouble);
    this.lastToldMs.set(trouble, nowMs);
    this.write(`agb: ${error.message.replace(/\s+/g, " ").replace(/\.$/, "")}. ${consequenceOf(trouble)}`);
  }

  /** Takes note of a request and its reply; a good reply to one that began after the last failure ends the outage. */
  seeExchange({ status, durationMs }: ExchangeNotice): void {
    const { outage } = this;
    if (outage === undefined) {
      return;
    }
    const nowMs = this.now();
    if (status === 0 || status === 408 || status === 429 || status >= 500) {
      outage.lastFailureMs = nowMs;
    } else if (nowMs - durationMs >= outage.lastFailureMs) {
      this.outage = undefined;
      if ([...outage.told].some((trouble) => trouble !== "limited")) {
        this.write(`agb: ${this.endpoint} answers again, after ${formatSeconds(nowMs - outage.startedMs)}.`);
      }
    }
  }
}

function troubleOf(error: AgbError): Trouble {
  if (error instanceof AgbNetworkError) {
    return error.requestSent ? "broken" : "unreachable";
  }
  return "status" in error && error.status === 429 ? "limited" : "failing";
}

function consequenceOf(trouble: Trouble): string {
  return trouble === "limited"
    ? "Calls wait as long as AGB asks. Fewer at the same time, as with `pulumi up --parallel 4`, avoid that."
    : "This call, and others that fail so, are tried again.";
}

function formatSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}
