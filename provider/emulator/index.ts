// A local AGB: it answers the API over HTTP on loopback as the service does, so that programs can be developed and tested
// without an account. Imports node: and zod, nothing from its siblings. Only cli/ and tests import it.
//
// The path of a request: server.ts -> exchange.ts (host, key, faults, journal) -> routes/ -> sessions/session-store.ts or
// contexts/context-store.ts -> state/emulator-state.ts -> state/state-file.ts.

export { type Clock, ManualClock } from "./clock";
export type { ContextState } from "./contexts/context-record";
export type { EmulatedContext, EmulatedSession, Emulator } from "./controls";
export { startEmulator } from "./emulator";
export type { Fault, FaultReply, FaultRule, SyncStepName } from "./faults";
export type { JournalEntry } from "./journal";
export type { OperationName } from "./operations";
export type { EmulatorNoticeCode, EmulatorOptions, LabelLimits, SessionPolicy } from "./options";
export { EmulatorStartError, type EmulatorStartErrorCode } from "./start-error";
