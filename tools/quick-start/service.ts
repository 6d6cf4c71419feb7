import { existsSync, readFileSync } from "node:fs";

const defaultEndpoint = "sdk-api.agb.cloud";

/** The service that the quick start uses. */
export interface Service {
  /** `emulator` for the local emulator, `real` for AGB or the service that AGB_ENDPOINT names. */
  kind: "emulator" | "real";
  /**
   * Name of the folder for the state of this service. Each service needs its own: a refresh at one service does not find the
   * sessions of another and drops them from the state.
   */
  folderName: string;
}

/**
 * Chooses the service. An API key in the environment (AGB_API_KEY) or in the stack's configuration (`agb:apiKey`) means the
 * real one, otherwise the emulator is used. Each endpoint (`agb:endpoint`, AGB_ENDPOINT) has its own folder name.
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
