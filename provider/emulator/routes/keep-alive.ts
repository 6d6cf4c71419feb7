import { nothing, requireRunning, route, sessionParameter } from "./route";

/** POST /mcp/refreshSessionIdleTime: resets the idle timer. Unlike all others under /mcp, it has the session in the query. */
export const refreshSessionIdleTime = route({
  method: "POST",
  path: "/mcp/refreshSessionIdleTime",
  operation: "refreshSessionIdleTime",
  writes: true,
  query: sessionParameter,
  body: nothing,
  handle({ query }, { sessions }) {
    sessions.touch(requireRunning(sessions, query.sessionId));
    return {};
  },
});
