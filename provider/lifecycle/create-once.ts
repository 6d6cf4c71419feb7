import type { AgbClient } from "../api/client";
import { AgbApiError, AgbError } from "../api/errors";
import { retryDelayMs } from "../api/retry";
import { createSession, getSession, type SessionIdentity, type SessionRequest } from "../api/sessions";
import { isWorthAnotherTry, mayHaveMadeSession, mayStillMakeSession } from "./create-outcome";
import type { CreateRuntime } from "./create-runtime";
import { CreateSearch, type FoundSession } from "./create-search";
import { AgbRunEndedError, AgbUncertainCreateError } from "./errors";
import { ownershipKeys } from "./ownership";

const maximumTries = 3;

// AGB may ask for any time; nobody waits longer than this for one session.
const longestPauseMs = 60_000;

/**
 * How long to search at least where the create's own limit leaves less, in milliseconds: a session that was made just
 * before the limit must not be lost.
 */
const shortestLimitedSearchMs = 8_000;

/**
 * Makes exactly one session. createSession has no idempotency token, so after a call that may have worked the session is
 * searched for by its create label, which the request itself set. As long as the search is not over no second call is
 * sent. A session that shows up only after a later call succeeded is released, see `TwinWatch`.
 *
 * @param client its limit bounds the calls of createSession and the pauses; a search that it cuts short ends the create
 * @param request its labels hold the create label
 * @param searcher client for the search, which still has time when the limit of the create is over
 * @throws AgbApiError, AgbNetworkError or AgbTimeoutError when AGB refuses or was not reached: nothing was made
 * @throws AgbUncertainCreateError when a session may exist that was not found
 * @throws AgbRunEndedError when the run was over before anything was sent
 */
export async function createExactlyOnce(
  client: AgbClient,
  request: SessionRequest,
  runtime: CreateRuntime,
  searcher: AgbClient = client,
): Promise<SessionIdentity> {
  return new SingleCreate(client, request, runtime, searcher).run();
}

/** One create with all its tries. */
class SingleCreate {
  private readonly createToken: string;
  private readonly search: CreateSearch;
  /** What the tries failed with that may have made a session all the same, oldest first. */
  private readonly suspicions: unknown[] = [];
  /** When the first of them was sent, see `Clock.elapsedMs`. */
  private suspectSinceMs = 0;

  constructor(
    private readonly client: AgbClient,
    private readonly request: SessionRequest,
    private readonly runtime: CreateRuntime,
    private readonly searcher: AgbClient,
  ) {
    const createToken = request.labels[ownershipKeys.create];
    if (createToken === undefined) {
      throw new Error(`a create needs the label ${ownershipKeys.create}`);
    }
    this.createToken = createToken;
    this.search = new CreateSearch(searcher, createToken, runtime.clock);
  }

  async run(): Promise<SessionIdentity> {
    const { clock, ended } = this.runtime;
    const stoppable = this.client.untilAborted(ended);
    for (let attempt = 1; ; attempt++) {
      if (ended.aborted) {
        throw this.suspicions.length > 0 ? this.giveUp("the run ended") : new AgbRunEndedError();
      }
      const sentAtMs = clock.elapsedMs();
      let failure: unknown;
      try {
        const made = await createSession(stoppable, this.request);
        this.watchTwins(made.sessionId, this.suspicions.length);
        return made;
      } catch (error) {
        failure = error;
      }
      this.suspect(failure, sentAtMs);
      const pauseMs = retryDelayMs(attempt, failure, Math.random());
      const mayRetry =
        isWorthAnotherTry(failure) &&
        attempt < maximumTries &&
        pauseMs <= Math.min(longestPauseMs, this.client.leftMs());
      if (this.suspicions.length > 0) {
        const found = await this.findOrGiveUp(failure, mayRetry);
        if (found !== undefined) {
          // One try may have made several sessions: a proxy can send a request twice.
          this.watchTwins(found.sessionId, this.suspicions.length - 1 + found.twins);
          return identify(this.searcher, found.sessionId);
        }
      } else if (!mayRetry) {
        throw failure;
      }
      await clock.sleep(pauseMs, ended);
    }
  }

  private suspect(failure: unknown, sentAtMs: number): void {
    if (!mayHaveMadeSession(failure)) {
      return;
    }
    if (this.suspicions.length === 0) {
      this.suspectSinceMs = sentAtMs;
    }
    this.suspicions.push(failure);
    if (failure instanceof AgbApiError && failure.sessionId !== undefined) {
      this.search.addNamed(failure.sessionId);
    }
  }

  /**
   * Searches for the session of an earlier try.
   *
   * @param failure what the last try failed with
   * @param mayRetry whether another try may follow
   * @returns `undefined` when none was made as far as the search can tell, and another try may follow
   */
  private async findOrGiveUp(failure: unknown, mayRetry: boolean): Promise<FoundSession | undefined> {
    const { lag, ended, onSearch } = this.runtime;
    const cause = this.suspicions.at(-1);
    const limitMs = Math.max(this.client.leftMs(), shortestLimitedSearchMs);
    const searchMs = () => Math.min(lag.searchMs(), limitMs);
    onSearch?.({ error: cause, searchMs: searchMs() });
    const result = await this.search.run(lag, this.suspectSinceMs, limitMs, ended);
    if (result.sessionId !== undefined) {
      return result;
    }
    if (result.doubt !== undefined) {
      throw this.giveUp(result.doubt);
    }
    if (this.suspicions.some(mayStillMakeSession)) {
      throw this.giveUp("AGB may not have finished the call yet");
    }
    if (limitMs < lag.searchMs()) {
      throw this.giveUp("the time for the create was over before the search for the session was");
    }
    if (!mayRetry) {
      const later = failure === cause || !(failure instanceof Error) ? "" : `; the last try failed: ${failure.message}`;
      throw this.giveUp(`no session was found within ${Math.round(searchMs() / 1_000)} s${later}`);
    }
    return undefined;
  }

  /** The error of a create that may have made a session. What is found later belongs to nobody and is released. */
  private giveUp(reason: string): AgbUncertainCreateError {
    this.watchTwins(undefined, this.suspicions.length);
    const named = this.suspicions.flatMap((failure) =>
      failure instanceof AgbApiError && failure.sessionId !== undefined ? [failure.sessionId] : [],
    );
    const hint = named.length === 0 ? "" : `; AGB named session ${named.join(", ")}`;
    return new AgbUncertainCreateError(this.createToken, `${reason}${hint}`, { cause: this.suspicions.at(-1) });
  }

  private watchTwins(keptId: string | undefined, possibleTwins: number): void {
    if (possibleTwins > 0) {
      const { search, searcher: client, suspectSinceMs } = this;
      this.runtime.twins.begin({ search, client, keptId, suspectSinceMs });
    }
  }
}

/** Reads the rest of a session that was found. Its id must not be lost, so nothing that fails here counts. */
async function identify(client: AgbClient, sessionId: string): Promise<SessionIdentity> {
  try {
    return await getSession(client, sessionId);
  } catch (error) {
    if (error instanceof AgbError) {
      return { sessionId };
    }
    throw error;
  }
}
