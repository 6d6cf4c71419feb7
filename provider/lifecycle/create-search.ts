import type { AgbClient } from "../api/client";
import { getLabels, type Labels } from "../api/labels";
import { listSessions } from "../api/sessions";
import { unlessGone } from "../api/unless-gone";
import { isTemporaryFailure } from "./create-outcome";
import type { LabelLag } from "./label-lag";
import { hasLabel } from "./labels";
import { ownershipKeys } from "./ownership";
import type { Clock } from "./wait";

/** Result of one look for the sessions of a create. */
export interface Look {
  /** Ids of the sessions that carry the create label. */
  readonly found: readonly string[];
  /** Why there may be more sessions than were found; `undefined` if there cannot. */
  readonly doubt: string | undefined;
  /** Whether another look cannot remove the doubt. */
  readonly isFinal: boolean;
}

/** The session that a search found. */
export interface FoundSession {
  readonly sessionId: string;
  /** How many other sessions of the same create were found. */
  readonly twins: number;
}

/** Result of a whole search. */
export type SearchResult = FoundSession | { readonly sessionId: undefined; readonly doubt: string | undefined };

/** How long one look may take, in milliseconds. After that it counts as failed, and the search looks again. */
const longestLookMs = 15_000;

const firstDelayMs = 250;
const longestDelayMs = 3_000;

/** Statuses of released sessions. AGB may have dropped the labels of such a session. */
const endingStatuses = new Set(["DELETING", "DELETED", "FINISH"]);

/** The sessions of one create, found by its create label. */
export class CreateSearch {
  /** Sessions of other creates. A label can be missing for a while, but it never changes from another create's to ours. */
  private readonly foreign = new Set<string>();
  /** Sessions that were named in replies to the create. */
  private readonly named = new Set<string>();

  constructor(
    private readonly client: AgbClient,
    private readonly createToken: string,
    private readonly clock: Clock,
  ) {}

  /** Adds a session to examine even if no list shows it. */
  addNamed(sessionId: string): void {
    this.named.add(sessionId);
  }

  /**
   * Looks repeatedly until a session is found or the time is over. A temporary failure does not end the search.
   *
   * @param lag how long AGB takes to list new labels; the search adds what it learns
   * @param suspectSinceMs when the first attempt that may have created the session was sent, see `Clock.elapsedMs`
   * @param limitMs longest duration of the search, in milliseconds
   * @param wake when aborted, the next look happens immediately
   */
  async run(lag: LabelLag, suspectSinceMs: number, limitMs: number, wake: AbortSignal): Promise<SearchResult> {
    const startedMs = this.clock.elapsedMs();
    for (let delayMs = firstDelayMs, looks = 1; ; delayMs = Math.min(delayMs * 1.5, longestDelayMs), looks++) {
      const { found, doubt, isFinal } = await this.look();
      const [sessionId, ...twins] = found;
      if (sessionId !== undefined) {
        if (looks > 1) {
          lag.note(this.clock.elapsedMs() - suspectSinceMs);
        }
        return { sessionId, twins: twins.length };
      }
      // Read again each time, because another create may have seen a longer lag.
      const leftMs = startedMs + Math.min(lag.searchMs(), limitMs) - this.clock.elapsedMs();
      if (leftMs <= 0 || isFinal) {
        return { sessionId, doubt };
      }
      await this.clock.sleep(Math.min(delayMs, leftMs), wake.aborted ? undefined : wake);
    }
  }

  /** Looks once. Never rejects. */
  async look(limitMs = longestLookMs): Promise<Look> {
    const client = this.client.within(limitMs);
    const found = new Set<string>();
    let doubt: string | undefined;
    const examine = async (sessionId: string) => {
      const verdict = await this.readVerdict(client, sessionId);
      doubt = verdict.doubt ?? doubt;
      if (verdict.isOurs) {
        found.add(sessionId);
      }
    };
    try {
      for (const sessionId of this.named) {
        await examine(sessionId);
      }
      for await (const { sessionId, status } of listSessions(client, { [ownershipKeys.create]: this.createToken })) {
        if (!this.foreign.has(sessionId) && !found.has(sessionId) && !endingStatuses.has(status)) {
          await examine(sessionId);
        }
      }
    } catch (error) {
      return { found: [...found], doubt: messageOf(error), isFinal: !isTemporaryFailure(error) };
    }
    return { found: [...found], doubt, isFinal: false };
  }

  /**
   * Reads a session's labels to see whether it is ours. The list alone does not prove it: if AGB did not filter, we
   * would release another owner's session with the stack. Only a different create label proves that it is not ours.
   */
  private async readVerdict(client: AgbClient, sessionId: string): Promise<{ isOurs: boolean; doubt?: string }> {
    let labels: Labels | undefined;
    try {
      labels = await unlessGone(getLabels(client, sessionId));
    } catch (error) {
      if (!isTemporaryFailure(error)) {
        throw error;
      }
      return { isOurs: false, doubt: messageOf(error) };
    }
    if (labels === undefined || !Object.hasOwn(labels, ownershipKeys.create)) {
      return { isOurs: false, doubt: `AGB returned no create label of session ${sessionId}` };
    }
    const isOurs = hasLabel(labels, ownershipKeys.create, this.createToken);
    if (!isOurs) {
      this.foreign.add(sessionId);
    }
    return { isOurs };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
