import type { Forge, RequestState } from "../forge/forge";
import type { Clock } from "../lifecycle/wait";
import { describeFailure, type Failure } from "../messages/describe-failure";
import type { MessageCode } from "../messages/message-codes";

/** What to do with the environment of a request. */
export interface RequestDecision {
  /** `doubt` leaves it alone: the forge did not say whether the request is open. */
  readonly fate: "keep" | "remove" | "doubt";
  /** Whether the request is closed, not only idle. */
  readonly isClosed: boolean;
  readonly reason: string;
  /** The code of the reason, in doubt. */
  readonly code?: MessageCode;
  /** What readers of the request should know when its environment is removed. */
  readonly note?: string;
}

const dayMs = 86_400_000;

/** Decides what to do with the environment of a request that is in this state. */
export function decideFate(state: RequestState, idleDays: number | undefined, nowMs: number): RequestDecision {
  if (!state.isOpen) {
    return { fate: "remove", isClosed: true, reason: "its request is closed" };
  }
  const idleMs = nowMs - state.updatedAt.getTime();
  if (idleDays === undefined || idleMs < idleDays * dayMs) {
    return { fate: "keep", isClosed: false, reason: "its request is open" };
  }
  const reason = `its request had no activity for ${Math.floor(idleMs / dayMs)} days`;
  return { fate: "remove", isClosed: false, reason, note: `The reason: ${reason}. A new push recreates it.` };
}

/** The decisions of one sweep. Asks the forge once about each request. */
export class RequestDecisions {
  readonly #decisions = new Map<number, Promise<RequestDecision>>();
  readonly #failures: Failure[] = [];

  /** @param idleDays an open request without activity for this many days counts as closed; `undefined` for none */
  constructor(
    private readonly forge: Pick<Forge, "readRequest">,
    private readonly clock: Pick<Clock, "now">,
    private readonly idleDays: number | undefined,
  ) {}

  /** What to do with the environment of a request. Never fails: an error of the forge is a doubt. */
  of(request: number): Promise<RequestDecision> {
    const decision = this.#decisions.get(request) ?? this.#ask(request);
    this.#decisions.set(request, decision);
    return decision;
  }

  /** Why the forge did not answer, one line for each request in doubt. */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  async #ask(request: number): Promise<RequestDecision> {
    try {
      return decideFate(await this.forge.readRequest(request), this.idleDays, this.clock.now());
    } catch (error) {
      const { text, code } = describeFailure(error);
      this.#failures.push({ text: `Request ${request}: ${text}`, code });
      return { fate: "doubt", isClosed: false, reason: text, code };
    }
  }
}
