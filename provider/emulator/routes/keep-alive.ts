import { nothing, requireRunning, route, sessionParameter } from "./route";

/** POST /mcp/refreshSessionIdleTime: sets the idle timer back. Alone under /mcp, it takes the session from the query. */
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
