/** The operations that the emulator knows, spelled as the last part of their path on the wire. */
export const operationNames = [
  "createSession",
  "getSession",
  "getSessionInfo",
  "getMcpResource",
  "ListSession",
  "releaseSessionAsync",
  "releaseSession",
  "refreshSessionIdleTime",
  "SetLabel",
  "GetLabel",
] as const;

/** One of the operations that the emulator knows. */
export type OperationName = (typeof operationNames)[number];
