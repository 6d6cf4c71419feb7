/**
 * Serves resource kinds and functions to Pulumi's engine as a native plugin, over gRPC. Knows nothing of what it serves: it is
 * given the kinds, the functions, the settings and the schema. May import `kinds/hosted-kind` and `urn`, and nothing else.
 */
export { EngineLog } from "./engine-log";
export { type PluginProcess, runPlugin } from "./process";
export { servePlugin } from "./server";
export type { ServedPackage } from "./service";
