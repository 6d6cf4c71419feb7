import { join } from "node:path";
import { type Emulator, startEmulator } from "../../provider/emulator";
import { findPython, installPythonPackages } from "../support/python-environment";
import { runScript, type ScriptTarget } from "./python-script";

const { AGB_ENDPOINT: endpoint, AGB_API_KEY: apiKey, CI } = process.env;
const isService = Boolean(endpoint && apiKey);
const found = findPython();
if (found === undefined) {
  if (CI) {
    throw new Error("The conformance tests need Python 3.10 or newer, but it is not installed. Install it.");
  }
  process.stderr.write("\n*** Conformance tests SKIPPED: they need Python 3.10 or newer. ***\n\n");
}

/** A test that needs Python. */
export const testWithPython = found === undefined ? test.skip : test;
/** A test that needs Python and the emulator. */
export const testWithEmulator = found === undefined || isService ? test.skip : test;

/** AGB's Python SDK and the service that its scripts use. */
export interface PythonSdk {
  /** The service that scripts use unless they are given another one. */
  readonly target: ScriptTarget;
  /** Runs a script in `python/`. @throws Error see `python-script.ts` */
  run(name: string, variables?: Readonly<Record<string, string>>, target?: ScriptTarget): Promise<void>;
}

/**
 * Installs the SDK before the tests of a file. If AGB_ENDPOINT and AGB_API_KEY are set, scripts run against that service, and
 * create and release sessions there. Otherwise they run against an emulator.
 */
export function usePythonSdk(): PythonSdk {
  let python = "";
  let emulator: Emulator | undefined;
  let aheadMs = 0;
  let target: ScriptTarget = { endpoint: endpoint ?? "", apiKey: apiKey ?? "", advance: undefined };

  beforeAll(async () => {
    if (found === undefined) {
      return;
    }
    python = join(await installPythonPackages(found, "agbcloud-sdk", join(__dirname, "requirements.txt")), "python");
    if (isService) {
      return;
    }
    // Real time that can be advanced, because the SDK also waits by the computer's clock.
    emulator = await startEmulator({
      allowExec: true,
      apiKeys: ["test-key"],
      clock: { now: () => Date.now() + aheadMs },
    });
    const advance = (ms: number) => {
      aheadMs += ms;
    };
    target = { endpoint: emulator.url, apiKey: "test-key", advance };
  }, 600_000);
  afterAll(() => emulator?.close());

  return {
    get target() {
      return target;
    },
    run: (name, variables = {}, other = target) => runScript(python, name, other, variables),
  };
}
