import { AgbNotFoundError } from "../api/errors";
import { refreshIdleTime } from "../api/sessions";
import { AgbConfigurationError } from "../config";
import type { Clock } from "../lifecycle/wait";
import { describeError } from "./failure";
import type { Call } from "./kind";
import { describeSession } from "./session-labels";

/** Limit of restarting an idle time, with retries, in milliseconds. A run must not wait long for it. */
export const keepAliveLimitMs = 10_000;

/** Without this, a refresh and the diff that follows it would ask twice, and warn twice. */
const quietMs = 60_000;

/** Restarts the idle times of sessions. One for each process. */
export class KeepAlive {
  private readonly askedMs = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /**
   * Restarts the idle time of a session, unless this process tried it within the last minute. A failure is only a warning: the
   * session still runs.
   *
   * @param open opens the call; what is wrong with the settings is reported by the operation that cannot do without them
   * @returns `gone` if AGB says that the session does not exist
   */
  async restart(open: () => Call, id: string): Promise<"running" | "gone"> {
    const nowMs = this.clock.elapsedMs();
    if (nowMs - (this.askedMs.get(id) ?? Number.NEGATIVE_INFINITY) < quietMs) {
      return "running";
    }
    this.askedMs.set(id, nowMs);
    let call: Call | undefined;
    try {
      call = open();
      await refreshIdleTime(call.client.within(keepAliveLimitMs), id);
    } catch (error) {
      if (error instanceof AgbNotFoundError) {
        return "gone";
      }
      if (!(error instanceof AgbConfigurationError)) {
        call?.warn(
          `the idle time of ${describeSession(id, call.resource)} was not restarted: ${describeError(error)}. AGB releases the ` +
            "session when it has been idle for too long. The next refresh or `pulumi up` tries again.",
          "AGB419",
        );
      }
    }
    return "running";
  }
}
