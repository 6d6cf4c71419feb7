// What the search after a failed create takes for the created session, against scripted servers.

import type { ServerResponse } from "node:http";
import { createExactlyOnce } from "../../provider/lifecycle/create-once";
import { AgbUncertainCreateError } from "../../provider/lifecycle/errors";
import { openClient } from "../support/agb-client";
import { openTestRuntime } from "../support/create-runtime";
import { createRequest } from "../support/faulty-create";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { sendJson, sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

describe("a failure that names a session", () => {
  const named = (response: ServerResponse) =>
    sendSuccess(response, { data: { success: false, errMsg: "start failed", sessionId: "session-9" } });

  test("leads to that session if it carries the create label", async () => {
    const server = await startScriptedServer(({ path }, response) => {
      if (path.endsWith("createSession")) {
        named(response);
      } else if (path.endsWith("ListSession")) {
        sendSuccess(response, { data: [{ sessionId: "session-9", sessionStatus: "RUNNING" }] });
      } else if (path.endsWith("GetLabel")) {
        sendSuccess(response, { data: { labels: JSON.stringify(createRequest.labels) } });
      } else {
        sendSuccess(response, { data: { sessionId: "session-9", appInstanceId: "ai-9" } });
      }
    });
    expect(await createExactlyOnce(openClient(server.url), createRequest, openTestRuntime())).toMatchObject({
      sessionId: "session-9",
    });
  });

  test.each([200, 500])(
    "with HTTP %i makes the create uncertain and names that session if it is not found, and no other one is created",
    async (status) => {
      const server = await startScriptedServer(({ path }, response) => {
        if (path.endsWith("createSession")) {
          sendJson(response, { success: true, data: { success: false, sessionId: "session-9" } }, status);
        } else {
          sendSuccess(response, { data: [] });
        }
      });
      await expect(createExactlyOnce(openClient(server.url), createRequest, openTestRuntime())).rejects.toMatchObject({
        name: "AgbUncertainCreateError",
        message: expect.stringContaining("AGB named session session-9"),
      });
      expect(server.operations().filter((operation) => operation === "createSession")).toHaveLength(1);
    },
  );
});

test("a list that does not filter never makes someone else's session the result", async () => {
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("createSession")) {
      sendJson(response, { success: false }, 500);
    } else if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: "session-of-another", sessionStatus: "RUNNING" }] });
    } else if (path.endsWith("GetLabel")) {
      sendSuccess(response, { data: { labels: '{"team":"another"}' } });
    } else {
      sendSuccess(response, { data: { sessionId: "session-of-another" } });
    }
  });
  await expect(createExactlyOnce(openClient(server.url), createRequest, openTestRuntime())).rejects.toBeInstanceOf(
    AgbUncertainCreateError,
  );
});

test("a listed session whose labels cannot be read does not hide the one that was created", async () => {
  const server = await startScriptedServer(({ path, query }, response) => {
    if (path.endsWith("createSession")) {
      sendJson(response, { success: false }, 500);
    } else if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: "session-of-another" }, { sessionId: "session-1" }] });
    } else if (path.endsWith("GetLabel") && query["sessionId"] !== "session-1") {
      sendJson(response, { success: false }, 500);
    } else if (path.endsWith("GetLabel")) {
      sendSuccess(response, { data: { labels: JSON.stringify(createRequest.labels) } });
    } else {
      sendSuccess(response, { data: { sessionId: "session-1" } });
    }
  });
  const made = await createExactlyOnce(openClient(server.url), createRequest, openTestRuntime());
  expect(made.sessionId).toBe("session-1");
  expect(server.operations().filter((operation) => operation === "createSession")).toHaveLength(1);
});

test("a session that is listed but already released is created again", async () => {
  let creates = 0;
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("createSession")) {
      creates += 1;
      if (creates === 1) {
        sendJson(response, { success: false }, 500);
      } else {
        sendSuccess(response, { data: { sessionId: "session-2" } });
      }
    } else if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: "session-1", sessionStatus: "DELETING" }] });
    } else {
      sendRefusal(response, "InvalidMcpSession.NotFound");
    }
  });
  expect(await createExactlyOnce(openClient(server.url), createRequest, openTestRuntime())).toMatchObject({
    sessionId: "session-2",
  });
});

test("a session of an earlier attempt that appears only after the next attempt is released", async () => {
  let creates = 0;
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("createSession")) {
      creates += 1;
      creates === 1 ? sendJson(response, {}, 500) : sendSuccess(response, { data: { sessionId: "session-2" } });
    } else if (path.endsWith("ListSession")) {
      const listed = creates === 1 ? [] : ["session-1", "session-2"];
      sendSuccess(response, { data: listed.map((sessionId) => ({ sessionId })) });
    } else {
      sendSuccess(response, { data: { labels: JSON.stringify(createRequest.labels) } });
    }
  });
  const runtime = openTestRuntime();
  const made = await createExactlyOnce(openClient(server.url), createRequest, runtime);
  expect(made.sessionId).toBe("session-2");
  await runtime.twins.finish();
  const releases = server.requests.filter(({ path }) => path.endsWith("releaseSessionAsync"));
  expect(new Set(releases.map(({ body }) => body))).toEqual(new Set(['{"sessionId":"session-1"}']));
});
