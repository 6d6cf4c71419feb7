import type { AgbClient } from "../api/client";
import { AgbApiError, AgbError } from "../api/errors";
import { retryDelayMs } from "../api/retry";
import { createSession, getSession, type SessionIdentity, type SessionRequest } from "../api/sessions";
import { isWorthRetrying, mayHaveHadEffect, mayStillHaveEffect } from "./create-outcome";
import type { CreateRuntime } from "./create-runtime";
import { CreateSearch, type FoundSession } from "./create-search";
import { AgbRunEndedError, AgbUncertainCreateError } from "./errors";
import { ownershipKeys } from "./ownership";

const maximumAttempts = 3;

// AGB may ask for any delay. Nobody waits longer than this for one session.
const longestPauseMs = 60_000;

/**
 * Shortest such search if `timeouts.create` leaves less time, in milliseconds. A session that was created just before the
 * limit must not be lost.
 */
const shortestLimitedSearchMs = 8_000;

/**
 * Creates exactly one session. createSession has no idempotency token. So after a failed call that may have worked, the
 * session is searched for by its create label, which the request itself set. No second call is sent until the search is
 * over. A session that appears only after a later call succeeded is released, see `TwinWatch`.
 *
 * @param client its limit bounds the calls of createSession and the pauses; a search that it cuts short ends the create
 * @param request its labels contain the create label
 * @param searcher client for the search; it still has time when the limit of the create is over
 * @throws AgbApiError, AgbNetworkError or AgbTimeoutError when AGB refuses or was not reached: nothing was created
 * @throws AgbUncertainCreateError when a session may exist that was not found
 * @throws AgbRunEndedError when the run ended before anything was sent
 */
export async function createExactlyOnce(
  client: AgbClient,
  request: SessionRequest,
  runtime: CreateRuntime,
  searcher: AgbClient = client,
): Promise<SessionIdentity> {
  return new SingleCreate(client, request, runtime, searcher).run();
}

/** One create with all its attempts. */
class SingleCreate {
  private readonly createToken: string;
  private readonly search: CreateSearch;
  /** The errors of attempts that may have created a session nevertheless, oldest first. */
  private readonly suspicions: unknown[] = [];
  /** When the first of those attempts was sent, see `Clock.elapsedMs`. */
  private suspectSinceMs = 0;

  constructor(
    private readonly client: AgbClient,
    private readonly request: SessionRequest,
    private readonly runtime: CreateRuntime,
    private readonly searcher: AgbClient,
  ) {
    const createToken = request.labels[ownershipKeys.create];
    if (createToken === undefined) {
      throw new Error(`the label ${ownershipKeys.create} is missing`);
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
        isWorthRetrying(failure) &&
        attempt < maximumAttempts &&
        pauseMs <= Math.min(longestPauseMs, this.client.leftMs());
      if (this.suspicions.length > 0) {
        const found = await this.findOrGiveUp(failure, mayRetry);
        if (found !== undefined) {
          // One attempt may have created several sessions, because a proxy can send a request twice.
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
    if (!mayHaveHadEffect(failure)) {
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
   * Searches for the session of an earlier attempt.
   *
   * @param failure the error of the last attempt
   * @param mayRetry whether another attempt may follow
   * @returns `undefined` if the search is sure that there is none and another attempt may follow
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
    if (this.suspicions.some(mayStillHaveEffect)) {
      throw this.giveUp("AGB may still be working on the call");
    }
    if (limitMs < lag.searchMs()) {
      throw this.giveUp("the time limit of the create ended the search for the session early");
    }
    if (!mayRetry) {
      const later =
        failure === cause || !(failure instanceof Error) ? "" : `; the last attempt failed: ${failure.message}`;
      throw this.giveUp(`no session was found within ${Math.round(searchMs() / 1_000)} s${later}`);
    }
    return undefined;
  }

  /** Returns the error of a create that may have created a session. Sessions that are found later are released. */
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

/** Reads the other ids of a found session. A failure is ignored, because the session's own id must not be lost. */
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
