import type { Emulator, EmulatorOptions } from "../../provider/emulator";
import { openServedPackage } from "../../provider/plugin/served-package";
import { startTestEmulator, testKey } from "./agb-emulator";
import { closeAfterTest } from "./close-after-test";
import { PluginClient, type WireProperties } from "./plugin-client";

/** A plugin for an emulator, both in this process. */
export interface PluginStack {
  readonly emulator: Emulator;
  readonly plugin: PluginClient;
}

/** What the engine keeps of a resource between two runs. */
export interface NativeState {
  readonly id: string;
  readonly inputs: WireProperties;
  readonly outputs: WireProperties;
}

/** Starts both, and passes the settings. Everything ends with the test. */
export async function openPluginStack(
  settings: WireProperties = {},
  options: EmulatorOptions = {},
): Promise<PluginStack> {
  const emulator = await startTestEmulator(options);
  const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
  const plugin = await PluginClient.open((say) =>
    closeAfterTest(openServedPackage({ version: "1.2.3", schema: "{}" }, { environment, say })),
  );
  await plugin.configure(settings);
  return { emulator, plugin };
}

/** Declares a new resource as an `up` does: check, then create. */
export async function createResource(plugin: PluginClient, urn: string, news: WireProperties): Promise<NativeState> {
  const { inputs, failures } = await plugin.check(urn, news);
  if (failures.length > 0) {
    throw new Error(failures.join("\n"));
  }
  const { id, properties } = await plugin.create(urn, inputs);
  return { id, inputs, outputs: properties };
}
