// What a program can do to an emulator apart from sending requests.

import type { AcceptedKeys } from "./accepted-keys";
import type { AdvanceableClock } from "./clock";
import type { ContextStore } from "./contexts/context-store";
import type { EmulatedContext, EmulatedSession, EmulatorControls } from "./controls";
import type { Faults } from "./faults";
import type { Journal } from "./journal";
import { releaseDueAtMs, type SessionRecord } from "./sessions/session";
import type { SessionRuntime } from "./sessions/session-runtime";
import type { SessionStore } from "./sessions/session-store";
import type { EmulatorState } from "./state/emulator-state";

/** The parts of an emulator that its controls act on. */
export interface ControlledParts {
  readonly clock: AdvanceableClock;
  readonly state: EmulatorState;
  readonly sessions: SessionStore;
  readonly contexts: ContextStore;
  readonly runtime: SessionRuntime;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly keys: AcceptedKeys;
  /** Brings keys and fault rules back to what the options say. */
  restoreOptions(): void;
  /** Resolves when all changes so far are on disk. */
  save(): Promise<void>;
}

export function createControls(parts: ControlledParts): EmulatorControls {
  const { clock, state, sessions, contexts, runtime, faults, journal, keys, restoreOptions, save } = parts;

  function setClockOffset(ms: number): void {
    clock.offsetMs = ms;
    state.clockOffsetMs = ms;
  }

  function requireRunning(sessionId: string): SessionRecord {
    const record = sessions.running(sessionId);
    if (record === undefined) {
      throw new Error(`No session ${sessionId} is running in the emulator.`);
    }
    return record;
  }

  function describeContext(contextId: string): EmulatedContext["files"] {
    return Array.from(contexts.files(contextId), ({ path, sizeBytes }) => ({ path, sizeBytes }));
  }

  return {
    async reset() {
      sessions.clear();
      await runtime.sandboxes?.clear();
      contexts.clear();
      setClockOffset(0);
      journal.clear();
      restoreOptions();
      await save();
    },
    contexts: () =>
      contexts.list().map((record) => ({
        contextId: record.contextId,
        name: record.name,
        state: contexts.stateOf(record),
        createdAtMs: record.createdAtMs,
        lastUsedAtMs: record.lastUsedAtMs,
        files: describeContext(record.contextId),
      })),
    sessions: () => sessions.all().reverse().map(describeSession),
    nowMs: () => clock.now(),
    async advanceClock(ms) {
      if (!(ms >= 0)) {
        throw new RangeError(`advanceClock: ms must be a number >= 0, not ${ms}`);
      }
      setClockOffset(clock.offsetMs + ms);
      await runtime.endSandboxes();
      await save();
    },
    async setLabels(sessionId, labels) {
      sessions.setLabels(requireRunning(sessionId), { ...labels });
      await save();
    },
    async release(sessionId) {
      sessions.remove(requireRunning(sessionId));
      await runtime.endSandboxes();
      await save();
    },
    setApiKeys: (apiKeys) => keys.set(apiKeys),
    addFault: (rule) => faults.add(rule),
    faults: () => faults.all(),
    clearFaults: () => faults.clear(),
    requests: (limit) => journal.entries(limit),
    requestCounts: () => journal.counts(),
  };
}

function describeSession(record: SessionRecord): EmulatedSession {
  const { sequence: _, policyId, releasedAtMs, ...rest } = record;
  return {
    ...rest,
    ...(policyId !== undefined && { policyId }),
    labels: { ...rest.labels },
    state: releasedAtMs === undefined ? "RUNNING" : "DELETING",
    releaseDueAtMs: releaseDueAtMs(record),
  };
}
