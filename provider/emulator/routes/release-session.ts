import { nothing, requireRunning, route, sessionParameter } from "./route";

/** POST /mcp/releaseSessionAsync: begins a release. A session that is already gone is not found, as AGB's docs suggest. */
export const releaseSessionAsync = route({
  method: "POST",
  path: "/mcp/releaseSessionAsync",
  operation: "releaseSessionAsync",
  writes: true,
  query: nothing,
  body: sessionParameter,
  handle({ body }, { sessions }) {
    sessions.release(requireRunning(sessions, body.sessionId));
    return {};
  },
});

/** POST /mcp/releaseSession: the call of SDKs before 0.7.0. The session is gone when the reply arrives. */
export const releaseSession = route({
  method: "POST",
  path: "/mcp/releaseSession",
  operation: "releaseSession",
  writes: true,
  query: nothing,
  body: sessionParameter,
  handle({ body }, { sessions }) {
    sessions.remove(requireRunning(sessions, body.sessionId));
    return {};
  },
});
