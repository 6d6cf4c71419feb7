/**
 * The ports of a session that AGB links to. Comments in AGB's tests name them, and the client of its sibling platform refuses
 * all others.
 */
export const linkedPorts = { first: 30_100, last: 30_199 } as const;

/** Whether AGB links to a port of a session. */
export function isLinkedPort(port: unknown): port is number {
  return Number.isInteger(port) && (port as number) >= linkedPorts.first && (port as number) <= linkedPorts.last;
}
