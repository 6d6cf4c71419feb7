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
  "getLink",
  "getCdpLink",
  "init",
  "mcp",
  "listTools",
  "GetContext",
  "ListContexts",
  "ModifyContext",
  "DeleteContext",
  "ClearContext",
  "SyncContext",
  "GetContextInfo",
  "GetContextFileUploadUrl",
  "GetContextFileDownloadUrl",
  "DeleteContextFile",
  "DescribeContextFiles",
  "GetAndLoadInternalContext",
] as const;

/** One of the operations that the emulator knows. */
export type OperationName = (typeof operationNames)[number];
