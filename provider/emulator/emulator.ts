import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { adminHandler, isAdminTarget } from "./admin";
import { AdvanceableClock } from "./clock";
import { ContextFolder } from "./contexts/context-folder";
import { ContextStore } from "./contexts/context-store";
import type { EmulatedSession, Emulator, EmulatorControls } from "./controls";
import { Closing, type ExchangeContext, exchange } from "./exchange";
import { Faults } from "./faults";
import { baseUrl } from "./host-names";
import { newEmulatorId } from "./identifiers";
import { Journal } from "./journal";
import { type EmulatorOptions, resolveOptions } from "./options";
import { RateLimit } from "./rate-limit";
import { listen, type RunningServer } from "./server";
import { releaseDueAtMs, type SessionRecord } from "./session";
import { surroundSessions } from "./session-ends";
import { StateFile, unusable } from "./state-file";
import { SessionStore } from "./store";

/**
 * Starts a local AGB.
 *
 * @throws EmulatorStartError when an option is not valid, the port is taken, or the state file is broken, in use or
 *   cannot be written
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = resolveOptions(options);
  const { releaseDelayMs, labelIndexDelayMs } = settings;
  const clock = new AdvanceableClock(settings.clock);
  const store = new SessionStore(clock, releaseDelayMs, labelIndexDelayMs);
  // Only with a state file: without one the sessions end with the emulator, so another run of it is another service.
  let emulatorId = settings.statePath === undefined ? undefined : newEmulatorId();
  const stateFile =
    settings.statePath === undefined
      ? undefined
      : new StateFile(settings.statePath, () => ({
          ...store.snapshot(),
          emulatorId,
          clockOffsetMs: clock.offsetMs,
        }));
  const contexts = new ContextStore(clock, settings.clearDelayMs);
  const contextFolder = new ContextFolder(stateFile?.path, contexts);
  const faults = new Faults();
  const surroundings = surroundSessions(settings, clock, stateFile?.path, store, contexts, contextFolder, faults);
  const journal = new Journal(clock, settings.onRequest);
  const closing = new AbortController();
  // Each request that waits listens, and there may be any number of them.
  setMaxListeners(0, closing.signal);
  let acceptedKeys: ReadonlySet<string> | undefined;

  const restoreOptions = () => {
    acceptedKeys = settings.apiKeys && new Set(settings.apiKeys);
    faults.clear();
    for (const rule of options.faults ?? []) {
      faults.add(rule);
    }
  };
  const acceptsKey = (key: string) => acceptedKeys?.has(key) ?? true;
  const save = async () => stateFile?.save();
  const context: ExchangeContext = {
    clock,
    store,
    contexts,
    contextFolder,
    synchronizer: surroundings.synchronizer,
    sandboxes: surroundings.sandboxes,
    settings,
    faults,
    journal,
    rateLimit: new RateLimit(settings.requestsPerSecond, clock),
    save,
    acceptsKey,
    emulatorId: () => emulatorId,
    isClosing: () => closing.signal.aborted,
    settleSessions: surroundings.settle,
    async wait(ms) {
      if (ms > 0) {
        await sleep(ms, undefined, { signal: closing.signal }).catch(() => {
          throw new Closing("the emulator is closing");
        });
      }
    },
  };

  const running = (sessionId: string): SessionRecord => {
    const record = store.running(sessionId);
    if (record === undefined) {
      throw new Error(`No session ${sessionId} is running in the emulator.`);
    }
    return record;
  };
  const controls: EmulatorControls = {
    async reset() {
      store.clear();
      await surroundings.sandboxes?.clear();
      contexts.clear();
      clock.offsetMs = 0;
      journal.clear();
      restoreOptions();
      await Promise.all([save(), contextFolder.save()]);
    },
    contexts: () =>
      contexts.list().map((record) => ({
        contextId: record.contextId,
        name: record.name,
        state: contexts.state(record),
        createdAtMs: record.createdAtMs,
        lastUsedAtMs: record.lastUsedAtMs,
        files: record.files.map(({ path, sizeBytes }) => ({ path, sizeBytes })),
      })),
    sessions: () => store.all().reverse().map(describe),
    nowMs: () => clock.now(),
    async advanceClock(ms) {
      if (!(ms >= 0)) {
        throw new RangeError(`advanceClock: ms must be a number >= 0, not ${ms}`);
      }
      clock.offsetMs += ms;
      await surroundings.settle();
      await save();
    },
    async setLabels(sessionId, labels) {
      store.setLabels(running(sessionId), { ...labels });
      await save();
    },
    async release(sessionId) {
      store.remove(running(sessionId));
      await surroundings.settle();
      await save();
    },
    setApiKeys(apiKeys) {
      acceptedKeys = apiKeys && new Set(apiKeys);
    },
    addFault: (rule) => faults.add(rule),
    faults: () => faults.all(),
    clearFaults: () => faults.clear(),
    requests: (limit) => journal.entries(limit),
    requestCounts: () => journal.counts(),
  };
  const admin = adminHandler({
    emulator: controls,
    acceptsKey,
    isKeyRequired: () => acceptedKeys !== undefined,
    listensOn: settings.host,
    closing: closing.signal,
  });

  const start = async () => {
    restoreOptions();
    const stored = stateFile?.load();
    if (stored !== undefined) {
      store.load(stored);
      clock.offsetMs = stored.clockOffsetMs ?? 0;
      emulatorId = stored.emulatorId ?? emulatorId;
    }
    contextFolder.load();
    // No reply may tell an id that the next run would not have.
    if (stored?.emulatorId === undefined) {
      await stateFile?.save().catch((error: unknown) => {
        throw unusable(stateFile.path, error);
      });
    }
    return await listen(settings.port, settings.host, (incoming, outgoing) => {
      void (isAdminTarget(incoming.url) ? admin(incoming, outgoing) : exchange(incoming, outgoing, context));
    });
  };
  const server: RunningServer = await start().catch((error: unknown) => {
    stateFile?.release();
    throw error;
  });

  surroundings.watch();

  const stop = async () => {
    closing.abort();
    await surroundings.close();
    await server.close();
    await contextFolder.close();
    await stateFile?.close();
  };
  let stopped: Promise<void> | undefined;

  return {
    ...controls,
    url: baseUrl(settings.host, server.port),
    close() {
      stopped ??= stop();
      return stopped;
    },
  };
}

function describe(record: SessionRecord): EmulatedSession {
  const { sequence: _, policyId, releasedAtMs, ...rest } = record;
  return {
    ...rest,
    ...(policyId !== undefined && { policyId }),
    labels: { ...rest.labels },
    state: releasedAtMs === undefined ? "RUNNING" : "DELETING",
    releaseDueAtMs: releaseDueAtMs(record),
  };
}
