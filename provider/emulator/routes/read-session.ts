import { sessionNotFound } from "../failures";
import { nothing, requireRunning, route, sessionParameter } from "./route";
import { sessionAccess, sessionConnection } from "./session-access";

/** POST /mcp/getSession: how to reach a session. */
export const getSession = route({
  method: "POST",
  path: "/mcp/getSession",
  operation: "getSession",
  writes: false,
  query: nothing,
  body: sessionParameter,
  handle({ body }, { sessions }) {
    const record = requireRunning(sessions, body.sessionId);
    return { data: { success: true, ...sessionConnection(record), status: "RUNNING" } };
  },
});

/** POST /mcp/getSessionInfo: the state. It is the only operation that still finds a session during its release. */
export const getSessionInfo = route({
  method: "POST",
  path: "/mcp/getSessionInfo",
  operation: "getSessionInfo",
  writes: false,
  query: nothing,
  body: sessionParameter,
  handle({ body }, { sessions }) {
    const status = sessions.stateOf(body.sessionId);
    if (status === undefined) {
      throw sessionNotFound();
    }
    return { data: { sessionId: body.sessionId, status } };
  },
});

/** POST /mcp/getMcpResource: what AGB's documentation recommends for checking that a session is alive. */
export const getMcpResource = route({
  method: "POST",
  path: "/mcp/getMcpResource",
  operation: "getMcpResource",
  writes: false,
  query: nothing,
  body: sessionParameter,
  handle({ body }, { sessions }) {
    const record = requireRunning(sessions, body.sessionId);
    const { authCode, resourceUrl } = sessionAccess(record);
    return {
      data: {
        sessionId: record.sessionId,
        resourceUrl,
        desktopInfo: {
          appId: record.appInstanceId,
          authCode,
          connectionProperties: JSON.stringify({ authMode: "password" }),
          resourceId: record.resourceId,
          resourceType: "AIAgent",
          ticket: authCode,
        },
      },
    };
  },
});
