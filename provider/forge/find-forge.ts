import type { Forge } from "./forge";
import { ForgeClient } from "./forge-client";
import { ForgeError } from "./forge-error";
import type { ForgeCallOptions } from "./forge-http";
import type { ForgeSettings } from "./forge-settings";
import { gitHubDialect } from "./github";
import { gitLabDialect } from "./gitlab";

/**
 * The forge that the settings name; `undefined` when there is none to talk to, and the settings say why. Whoever can do
 * without shows the reason when `isUnusable`, and nothing otherwise.
 */
export function findForge(settings: ForgeSettings, options?: ForgeCallOptions): Forge | undefined {
  switch (settings.kind) {
    case "github":
      return new ForgeClient(gitHubDialect(settings), options);
    case "gitlab":
      return new ForgeClient(gitLabDialect(settings), options);
    case "none":
      return undefined;
  }
}

/**
 * The forge that the settings name, for those who cannot do without.
 *
 * @throws ForgeError that names what is missing
 */
export function requireForge(settings: ForgeSettings, options?: ForgeCallOptions): Forge {
  const forge = findForge(settings, options);
  if (forge === undefined) {
    throw new ForgeError(settings.kind === "none" ? settings.reason : "No forge is known.");
  }
  return forge;
}
