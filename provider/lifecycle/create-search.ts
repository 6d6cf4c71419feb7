import type { AgbClient } from "../api/client";
import { getLabels, type Labels } from "../api/labels";
import { listSessions } from "../api/sessions";
import { isPassingFailure } from "./create-outcome";
import type { LabelLag } from "./label-lag";
import { hasLabel } from "./labels";
import { ownershipKeys } from "./ownership";
import { unlessGone } from "./unless-gone";
import type { Clock } from "./wait";

/** What one look for the sessions of a create found. */
export interface Look {
  /** Ids of the sessions that carry the create label. */
  readonly found: readonly string[];
  /** Why more sessions may exist than were found; `undefined` when none can. */
  readonly doubt: string | undefined;
  /** Whether another look cannot remove the doubt. */
  readonly isFinal: boolean;
}

/** The session that a search found. */
export interface FoundSession {
  readonly sessionId: string;
  /** How many more sessions of the same create the look found. */
  readonly twins: number;
}

/** What a whole search found. */
export type SearchResult = FoundSession | { readonly sessionId: undefined; readonly doubt: string | undefined };

/** A look that takes longer has failed, in milliseconds; the search makes another one. */
const longestLookMs = 15_000;

const firstDelayMs = 250;
const longestDelayMs = 3_000;

/** A listed session with one of these statuses has been released, so that AGB may have forgotten its labels. */
const endingStatuses = new Set(["DELETING", "DELETED", "FINISH"]);

/** The sessions of one create, found by its create label. */
export class CreateSearch {
  /** Sessions that another create made. Labels can be missing for a while, but not change from another create's to ours. */
  private readonly foreign = new Set<string>();
  /** Sessions that replies to the create named. */
  private readonly named = new Set<string>();

  constructor(
    private readonly client: AgbClient,
    private readonly createToken: string,
    private readonly clock: Clock,
  ) {}

  /** Adds a session that is looked at even when no list shows it. */
  addNamed(sessionId: string): void {
    this.named.add(sessionId);
  }

  /**
   * Looks again and again until a session is found or the time is over. A failure that may pass is not the end of the
   * search.
   *
   * @param lag how long labels take to be listed; what the search learns of it is noted
   * @param suspectSinceMs when the first try that may have made the session was sent, see `Clock.elapsedMs`
   * @param limitMs the search ends after this time at the latest
   * @param wake makes the next look come immediately when it is aborted
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
      // Another create may have seen a longer lag meanwhile.
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
      return { found: [...found], doubt: messageOf(error), isFinal: !isPassingFailure(error) };
    }
    return { found: [...found], doubt, isFinal: false };
  }

  /**
   * Reads the labels themselves: a list that did not filter would make another owner's session ours, to be released
   * with the stack. Only a create label that is there and different means that a session is not ours.
   */
  private async readVerdict(client: AgbClient, sessionId: string): Promise<{ isOurs: boolean; doubt?: string }> {
    let labels: Labels | undefined;
    try {
      labels = await unlessGone(getLabels(client, sessionId));
    } catch (error) {
      if (!isPassingFailure(error)) {
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
