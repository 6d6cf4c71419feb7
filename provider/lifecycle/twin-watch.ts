import type { AgbClient } from "../api/client";
import { releaseSession } from "../api/sessions";
import type { CreateSearch } from "./create-search";
import type { LabelLag } from "./label-lag";
import type { Clock } from "./wait";

/** A create whose attempts may have created more sessions than its result. */
export interface SuspectCreate {
  readonly search: CreateSearch;
  readonly client: AgbClient;
  /** The session that is the result of the create; `undefined` if the create failed. */
  readonly keptId: string | undefined;
  /** When the first attempt that may have created one was sent, see `Clock.elapsedMs`. */
  readonly suspectSinceMs: number;
}

/** How long to look for twins after the create, in milliseconds. AGB itself releases idle sessions after that time. */
const watchMs = 300_000;
const firstDelayMs = 5_000;
const longestDelayMs = 30_000;

// Pulumi gives a provider 5 seconds to exit. The last look and the releases after it must fit into them.
const lastLookMs = 2_000;
const releaseMs = 2_000;

/**
 * Releases twins: sessions that earlier attempts of a create did create, but that can be found only after the create.
 * Runs in the background while the run continues.
 */
export class TwinWatch {
  private readonly watching = new Set<Promise<void>>();

  /** @param ended when aborted, the run is over and each watch looks a last time */
  constructor(
    private readonly clock: Clock,
    private readonly lag: LabelLag,
    private readonly ended: AbortSignal,
  ) {}

  /** Starts to look for twins of a create. */
  begin(suspect: SuspectCreate): void {
    const watch = this.watch(suspect).finally(() => this.watching.delete(watch));
    this.watching.add(watch);
  }

  /** Resolves when all watches are over, soon after the run has ended. Never rejects. */
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
   * Looks once and releases the twins that it finds. The next look repeats a failed release. The sweep finds the rest.
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
