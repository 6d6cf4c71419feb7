import type { LogHandlerWithDefault } from "rollup";

/** Fails a build that Rollup warns of, such as a circular import or a name that no module exports. */
export const refuseWarnings: LogHandlerWithDefault = (level, log, handle) =>
  handle(level === "warn" ? "error" : level, log);
