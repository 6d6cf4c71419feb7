import { CodedError } from "../messages/coded-error";
import type { Forge } from "./forge";
import { ForgeClient } from "./forge-client";
import type { ForgeCallOptions } from "./forge-http";
import type { ForgeSettings } from "./forge-settings";
import { gitHubDialect } from "./github";
import { gitLabDialect } from "./gitlab";

/**
 * The forge that the settings name; `undefined` when there is none. The settings then say why. A caller that needs no
 * forge shows the reason only when `isUnusable`.
 */
export function findForge(settings: ForgeSettings, options?: ForgeCallOptions): Forge | undefined {
  return settings.kind === "none" ? undefined : requireForge(settings, options);
}

/**
 * The forge that the settings name, for callers that need one.
 *
 * @throws CodedError that names what is missing
 */
export function requireForge(settings: ForgeSettings, options?: ForgeCallOptions): Forge {
  switch (settings.kind) {
    case "none":
      throw new CodedError(settings.reason, settings.code);
    case "github":
      return new ForgeClient(gitHubDialect(settings), options);
    case "gitlab":
      return new ForgeClient(gitLabDialect(settings), options);
  }
}
