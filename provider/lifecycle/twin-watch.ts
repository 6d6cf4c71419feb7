import type { AgbClient } from "../api/client";
import { releaseSession } from "../api/sessions";
import type { CreateSearch } from "./create-search";
import type { LabelLag } from "./label-lag";
import type { Clock } from "./wait";

/** A create, some of whose tries may have made sessions that nobody asked for. */
export interface SuspectCreate {
  readonly search: CreateSearch;
  readonly client: AgbClient;
  /** The session that is the result of the create, `undefined` when the create failed. */
  readonly keptId: string | undefined;
  /** When the first try that may have made one was sent, see `Clock.elapsedMs`. */
  readonly suspectSinceMs: number;
}

/** How long twins are looked for after the create, in milliseconds; AGB releases idle sessions after that time itself. */
const watchMs = 300_000;
const firstDelayMs = 5_000;
const longestDelayMs = 30_000;

// Pulumi gives a provider 5 seconds to end: the last look and the releases after it must fit into them.
const lastLookMs = 2_000;
const releaseMs = 2_000;

/**
 * Releases twins: sessions that earlier tries of a create made after all, which could be found only when the create was
 * over. Nobody waits for it while the run goes on.
 */
export class TwinWatch {
  private readonly watching = new Set<Promise<void>>();

  /** @param ended aborted when the run is over, so that each watch makes its last look */
  constructor(
    private readonly clock: Clock,
    private readonly lag: LabelLag,
    private readonly ended: AbortSignal,
  ) {}

  /** Begins to look for twins of a create. */
  begin(suspect: SuspectCreate): void {
    const watch = this.watch(suspect).finally(() => this.watching.delete(watch));
    this.watching.add(watch);
  }

  /** Resolves when all watches are over, which is soon once the run has ended. Never rejects. */
  async finish(): Promise<void> {
    await Promise.all(this.watching);
  }

  private async watch(suspect: SuspectCreate): Promise<void> {
    const untilMs = this.clock.elapsedMs() + watchMs;
    let isLagKnown = false;
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 1.5, longestDelayMs)) {
      const isLast = this.ended.aborted || this.clock.elapsedMs() >= untilMs;
      const foundTwins = await this.releaseTwins(suspect);
      if (foundTwins && !isLagKnown) {
        this.lag.note(this.clock.elapsedMs() - suspect.suspectSinceMs);
        isLagKnown = true;
      }
      if (isLast) {
        return;
      }
      await this.clock.sleep(delayMs, this.ended);
    }
  }

  /**
   * Looks once and releases what is found. A release that fails is repeated by the next look; the sweep finds what is
   * left.
   *
   * @returns whether there were twins
   */
  private async releaseTwins({ search, client, keptId }: SuspectCreate): Promise<boolean> {
    const { found } = await search.look(this.ended.aborted ? lastLookMs : undefined);
    const twins = found.filter((sessionId) => sessionId !== keptId);
    const limited = client.within(releaseMs);
    await Promise.allSettled(twins.map((sessionId) => releaseSession(limited, sessionId)));
    return twins.length > 0;
  }
}
