// The operations of AGB that the emulator answers, one row each: its method and path, its parameters, what it does.
// Nothing here knows about HTTP.

import { clearContext, deleteContext, modifyContext } from "./change-context";
import {
  deleteContextFile,
  describeContextFiles,
  getContextFileDownloadUrl,
  getContextFileUploadUrl,
} from "./context-files";
import { createSession } from "./create-session";
import { getContext, listContexts } from "./get-context";
import { refreshSessionIdleTime } from "./keep-alive";
import { getLabel, setLabel } from "./labels";
import { getCdpLink, getLink, initBrowser } from "./links";
import { listSessions } from "./list-sessions";
import { getMcpResource, getSession, getSessionInfo } from "./read-session";
import { releaseSession, releaseSessionAsync } from "./release-session";
import type { Route } from "./route";
import { getAndLoadInternalContext, getContextInfo, syncContext } from "./sync-context";
import { callTool, listTools } from "./tools";

const routes: readonly Route[] = [
  createSession,
  getSession,
  getSessionInfo,
  getMcpResource,
  listSessions,
  releaseSessionAsync,
  releaseSession,
  refreshSessionIdleTime,
  setLabel,
  getLabel,
  getLink,
  getCdpLink,
  initBrowser,
  callTool,
  listTools,
  getContext,
  listContexts,
  modifyContext,
  deleteContext,
  clearContext,
  syncContext,
  getContextInfo,
  getContextFileUploadUrl,
  getContextFileDownloadUrl,
  deleteContextFile,
  describeContextFiles,
  getAndLoadInternalContext,
];

const routesByAddress = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));

/** The route for a method and a path, which is case-sensitive. */
export function findRoute(method: string, path: string): Route | undefined {
  return routesByAddress.get(`${method} ${path}`);
}
