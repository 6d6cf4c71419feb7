import { setMaxListeners } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AcceptedKeys } from "./accepted-keys";
import { adminHandler, isAdminTarget } from "./admin";
import { AdvanceableClock } from "./clock";
import { ContextStore } from "./contexts/context-store";
import { FileContents } from "./contexts/file-contents";
import type { Emulator } from "./controls";
import { createControls } from "./create-controls";
import { Closing, type ExchangeContext, exchange } from "./exchange";
import { Faults } from "./faults";
import { baseUrl } from "./host-names";
import { Journal } from "./journal";
import { type EmulatorOptions, resolveOptions, type Settings } from "./options";
import { RateLimit } from "./rate-limit";
import { listen } from "./server";
import { createSessionRuntime } from "./sessions/session-runtime";
import { SessionStore } from "./sessions/session-store";
import { EmulatorStartError } from "./start-error";
import { EmulatorState } from "./state/emulator-state";
import { StateFile } from "./state/state-file";

/**
 * Starts a local AGB.
 *
 * @throws EmulatorStartError when an option is not valid, the port is taken, or the state file is broken, in use or
 *   cannot be written
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = resolveOptions(options);
  const state = new EmulatorState(settings.statePath !== undefined);
  const file = settings.statePath === undefined ? undefined : new StateFile(settings.statePath, state);
  try {
    await file?.open();
    return await runEmulator(options, settings, state, file);
  } catch (error) {
    file?.release();
    throw error;
  }
}

/** Puts the parts together around a state that is loaded, and listens. */
async function runEmulator(
  options: EmulatorOptions,
  settings: Settings,
  state: EmulatorState,
  file: StateFile | undefined,
): Promise<Emulator> {
  const clock = new AdvanceableClock(settings.clock);
  clock.offsetMs = state.clockOffsetMs;
  const contents = openContents(state, file);
  const contexts = new ContextStore(state, contents, clock, settings.clearDelayMs);
  const sessions = new SessionStore(state, clock, settings, (sessionId) => contexts.forgetSession(sessionId));
  const faults = new Faults();
  const journal = new Journal(clock, settings.onRequest);
  const keys = new AcceptedKeys();
  const closing = new AbortController();
  // Each request that waits listens, and there may be any number of them.
  setMaxListeners(0, closing.signal);

  const restoreOptions = () => {
    keys.set(settings.apiKeys);
    faults.replaceAll(options.faults ?? []);
  };
  const save = () => contents.saveThenRemove(async () => file?.save());
  const saveAfterFailure = async () => {
    if (file?.hasFailed) {
      await save();
    }
  };
  const runtime = createSessionRuntime({
    settings,
    clock,
    sessionsFolder: folderOfState(state, file, "sessions"),
    sessions,
    contexts,
    contents,
    faults,
    save,
  });
  const controls = createControls({
    clock,
    state,
    sessions,
    contexts,
    runtime,
    faults,
    journal,
    keys,
    restoreOptions,
    save,
  });
  const context: ExchangeContext = {
    settings,
    clock,
    sessions,
    contexts,
    contents,
    faults,
    journal,
    save,
    saveAfterFailure,
    synchronizer: runtime.synchronizer,
    sandboxes: runtime.sandboxes,
    waitForUploadsInto: runtime.waitForUploadsInto,
    endSandboxes: runtime.endSandboxes,
    fileSecret: state.fileSecret,
    emulatorId: state.emulatorId,
    rateLimit: new RateLimit(settings.requestsPerSecond, clock),
    acceptsKey: (key) => keys.has(key),
    closing: closing.signal,
    wait: (ms) => waitUnlessClosing(ms, closing.signal),
  };
  const admin = adminHandler({
    emulator: controls,
    acceptsKey: (key) => keys.has(key),
    isKeyRequired: () => keys.areRequired,
    listensOn: settings.host,
    closing: closing.signal,
  });

  restoreOptions();
  const server = await listen(settings.port, settings.host, (incoming, outgoing) => {
    void (isAdminTarget(incoming.url) ? admin(incoming, outgoing) : exchange(incoming, outgoing, context));
  });
  runtime.watch();

  const stop = async () => {
    closing.abort();
    await runtime.close();
    await server.close();
    contents.close();
    await file?.close();
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

/**
 * A folder next to the state file. It is named after the state, so another state at the same path never removes its files.
 *
 * @returns undefined without a state file
 */
function folderOfState(state: EmulatorState, file: StateFile | undefined, of: "contexts" | "sessions") {
  return file === undefined || state.emulatorId === undefined
    ? undefined
    : join(`${file.path}.${of}`, state.emulatorId);
}

function openContents(state: EmulatorState, file: StateFile | undefined): FileContents {
  const folder = folderOfState(state, file, "contexts");
  const contents = new FileContents(folder);
  const named = new Set(Array.from(state.contextFiles.values(), ({ blob }) => blob));
  try {
    contents.removeUnnamed((blob) => named.has(blob));
  } catch (error) {
    const message = `Cannot read the folder ${folder} with the files of contexts: ${(error as Error).message}. Check its permissions.`;
    throw new EmulatorStartError("STATE_FILE_UNUSABLE", message, { cause: error });
  }
  return contents;
}

async function waitUnlessClosing(ms: number, closing: AbortSignal): Promise<void> {
  if (ms > 0) {
    await sleep(ms, undefined, { signal: closing }).catch(() => {
      throw new Closing("the emulator is closing");
    });
  }
}
