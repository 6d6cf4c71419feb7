import type { AgbClient } from "../api/client";
import type { OperationTimeouts, SessionProperties } from "./session-properties";

/** The client for an operation that may have a limit of its own. */
export function limited(client: AgbClient, seconds: number | undefined): AgbClient {
  return seconds === undefined ? client : client.within(seconds * 1_000);
}

/** Name of the limit that the program set for an operation, such as `timeouts.create`; `undefined` when it set none. */
export function limitName(
  { timeouts }: Partial<SessionProperties>,
  operation: keyof OperationTimeouts,
): string | undefined {
  return timeouts?.[operation] === undefined ? undefined : `timeouts.${operation}`;
}
