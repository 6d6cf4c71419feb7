import { type Emulator, type EmulatorOptions, startEmulator } from "../../provider/emulator";
import { closeAfterTest } from "./close-after-test";

/** The only key that emulators of tests accept. */
export const testKey = "ako-test-key-7f3e";

/** Starts a local AGB that ends with the test. */
export async function startTestEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  return closeAfterTest(await startEmulator({ apiKeys: [testKey], releaseDelayMs: 0, ...options }));
}
