import type { Forge } from "./forge";
import { ForgeClient } from "./forge-client";
import { ForgeError } from "./forge-error";
import type { ForgeCallOptions } from "./forge-http";
import type { ForgeSettings } from "./forge-settings";
import { gitHubDialect } from "./github";
import { gitLabDialect } from "./gitlab";

/**
 * The forge that the settings name; `undefined` when there is none. The settings then say why. A caller that needs no
 * forge shows the reason only when `isUnusable`.
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
 * The forge that the settings name, for callers that need one.
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
