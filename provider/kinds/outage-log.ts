import type { ExchangeNotice, RetryNotice } from "../api/client";
import { type AgbError, AgbNetworkError } from "../api/errors";
import { callFailureCode } from "../messages/call-failure-code";
import { withCode } from "../messages/message-codes";

/** Kind of trouble: no connection, connections that break, replies 408 and 5xx, or 429. */
type Trouble = "unreachable" | "broken" | "failing" | "limited";

interface Outage {
  readonly startedMs: number;
  lastFailureMs: number;
  /** Which kinds of trouble have been reported. */
  readonly reported: Set<Trouble>;
}

// Trouble of the same kind is not reported again for this long. A service that fails every other call would otherwise
// fill the screen.
const quietMs = 60_000;

/**
 * Reports an outage of one endpoint to the user. Writes one line when calls start to fail and are retried, one when the
 * kind of trouble changes, and one when the outage is over, with its duration. Reports each kind of trouble at most once
 * a minute, so an unstable endpoint does not fill the screen.
 *
 * A limited rate of calls (HTTP 429) also gets one line, with what helps. Its end gets none: AGB answers other calls
 * meanwhile, so a call that succeeds does not mean that the limit is over.
 *
 * Calls that finally fail are not reported here. They become errors of their resources.
 */
export class OutageLog {
  private outage: Outage | undefined;
  private readonly lastReportMs = new Map<Trouble, number>();

  /**
   * @param endpoint base URL, for the last line
   * @param say shows a line to the user
   * @param now the present time in milliseconds
   */
  constructor(
    private readonly endpoint: string,
    private readonly say: (message: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Notes an attempt that failed and will be retried. */
  seeRetry({ error }: RetryNotice): void {
    const nowMs = this.now();
    this.outage ??= { startedMs: nowMs, lastFailureMs: nowMs, reported: new Set() };
    this.outage.lastFailureMs = nowMs;
    const trouble = troubleOf(error);
    const isQuiet = nowMs - (this.lastReportMs.get(trouble) ?? Number.NEGATIVE_INFINITY) < quietMs;
    if (this.outage.reported.has(trouble) || isQuiet) {
      return;
    }
    this.outage.reported.add(trouble);
    this.lastReportMs.set(trouble, nowMs);
    this.say(withCode(`${error.message.replace(/\.$/, "")}. ${consequenceOf(trouble)}`, callFailureCode(error)));
  }

  /** Notes a request and its reply. A good reply to a request that began after the last failure ends the outage. */
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
      if ([...outage.reported].some((trouble) => trouble !== "limited")) {
        this.say(`${this.endpoint} answers again, after ${formatSeconds(nowMs - outage.startedMs)}.`);
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
    ? "Calls wait as long as AGB asks. To avoid this, make fewer calls at a time, such as with `pulumi up --parallel 4`."
    : "This call and others that fail in the same way are retried.";
}

function formatSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}
