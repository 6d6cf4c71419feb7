import { existsSync, readFileSync } from "node:fs";

const defaultEndpoint = "sdk-api.agb.cloud";

/** Which service the quick start talks to. */
export interface Service {
  /** The local emulator, or a real one: AGB, or whatever AGB_ENDPOINT names. */
  kind: "emulator" | "real";
  /**
   * The name of the folder for everything that belongs to this service. One folder for two services would be wrong: a refresh
   * against the one finds none of the other's sessions and drops them from the state.
   */
  folderName: string;
}

/**
 * Chooses the real service when an API key is set, in the environment (AGB_API_KEY) or in the stack's configuration (`agb:apiKey`), else the
 * emulator. Each endpoint (`agb:endpoint`, AGB_ENDPOINT) has its own folder name.
 */
export function chooseService(environment: NodeJS.ProcessEnv, stackConfigPath: string): Service {
  const config = existsSync(stackConfigPath) ? readFileSync(stackConfigPath, "utf8") : "";
  const hasKey = Boolean(environment["AGB_API_KEY"]) || /^\s+["']?agb:apiKey["']?:/m.test(config);
  if (!hasKey) {
    return { kind: "emulator", folderName: "emulator" };
  }
  const configured = /^\s+["']?agb:endpoint["']?:\s*["']?([^\s"']+)/m.exec(config)?.[1];
  return { kind: "real", folderName: nameFolder(configured || environment["AGB_ENDPOINT"] || defaultEndpoint) };
}

function nameFolder(endpoint: string): string {
  const address = endpoint
    .trim()
    .toLowerCase()
    .replace(/^https:\/\//, "")
    .replace(/\/+$/, "");
  return address === defaultEndpoint ? "agb" : `agb-${address.replace(/[^a-z0-9.-]+/g, "-")}`;
}
