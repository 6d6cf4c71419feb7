import { AgbApiError, AgbNetworkError, AgbTimeoutError, AgbUnexpectedReplyError } from "../../provider/api/errors";
import { getLabels, setLabels } from "../../provider/api/labels";
import { createSession, getSession, listSessions, releaseSession } from "../../provider/api/sessions";
import { openClient, openObservedClient } from "../support/agb-client";
import { testKey } from "../support/agb-emulator";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { deadAddress, sendJson, sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

const session = { data: { sessionId: "session-1", appInstanceId: "ai-1", resourceId: "p-1" } };
const request = { imageId: "agb-code-space-1", labels: { team: "web" } };

describe("a request", () => {
  test("contains the key only in the header", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, session));
    const client = openClient(server.url);
    await createSession(client, request);
    await getSession(client, "session-1");
    await setLabels(client, "session-1", { team: "web" });
    for (const { headers, path, query, body } of server.requests) {
      const { authorization, ...others } = headers;
      expect(authorization).toBe(`Bearer ${testKey}`);
      expect(JSON.stringify({ others, path, query, body })).not.toContain(testKey);
    }
  });

  test("uses the path prefix of the endpoint and carries JSON", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, session));
    await createSession(openClient(`${server.url}/gateway/agb`), {
      ...request,
      idleTimeoutSeconds: 600,
      policyId: "longDuration-policy",
    });
    expect(server.requests).toEqual([
      expect.objectContaining({
        method: "POST",
        path: "/gateway/agb/mcp/createSession",
        query: { imageId: "agb-code-space-1" },
        body: '{"labels":"{\\"team\\":\\"web\\"}","timeout":600,"mcpPolicyId":"longDuration-policy"}',
        headers: expect.objectContaining({ "content-type": "application/json" }),
      }),
    ]);
  });

  test("omits undeclared properties", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, session));
    await createSession(openClient(server.url), request);
    expect(Object.keys(JSON.parse(server.requests[0]?.body ?? ""))).toEqual(["labels"]);
  });

  test("keeps every character of a label", async () => {
    const labels = { "a b+c&d=e": "ü\u2028😀 %20 #?/", ключ: "{}" };
    const server = await startScriptedServer((_, response) => sendSuccess(response));
    await setLabels(openClient(server.url), "session-1", labels);
    expect(JSON.parse(server.requests[0]?.query["Labels"] ?? "")).toEqual(labels);
  });

  test("reuses connections: sequential calls never need more than two", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, session));
    const client = openClient(server.url);
    for (let call = 0; call < 20; call++) {
      await getSession(client, "session-1");
    }
    expect(new Set(server.requests.map(({ socket }) => socket)).size).toBeLessThanOrEqual(2);
  });

  test("opens a bounded number of connections, however many calls run at the same time", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, session));
    const client = openClient(server.url);
    await Promise.all(Array.from({ length: 100 }, () => getSession(client, "session-1")));
    expect(server.requests).toHaveLength(100);
    expect(new Set(server.requests.map(({ socket }) => socket)).size).toBeLessThanOrEqual(32);
  });
});

describe("an idempotent call", () => {
  test("is retried after the connection was reset", async () => {
    const server = await startScriptedServer((received, response, call) =>
      call < 3 ? void received.socket.resetAndDestroy() : sendSuccess(response, session),
    );
    const { client, retries } = openObservedClient(server.url);
    expect(await getSession(client, "session-1")).toMatchObject({ appInstanceId: "ai-1" });
    expect(retries.map(({ operation, attempt }) => [operation, attempt])).toEqual([
      ["getSession", 1],
      ["getSession", 2],
    ]);
  });

  test("is retried after half a reply", async () => {
    const server = await startScriptedServer((_, response, call) => {
      if (call > 1) {
        sendSuccess(response, session);
        return;
      }
      response.writeHead(200, { "content-length": "100" });
      response.write('{"success":true,"data":{"sess', () => response.destroy());
    });
    expect(await getSession(openClient(server.url), "session-1")).toMatchObject({ sessionId: "session-1" });
    expect(server.requests).toHaveLength(2);
  });

  test.each([408, 429, 500, 502, 503, 504])("is retried after HTTP %i", async (status) => {
    const server = await startScriptedServer((_, response, call) =>
      call === 1 ? sendJson(response, { success: false }, status) : sendSuccess(response, session),
    );
    await getSession(openClient(server.url), "session-1");
    expect(server.requests).toHaveLength(2);
  });

  test("is retried after a proxy's page", async () => {
    const server = await startScriptedServer((_, response, call) =>
      call === 1
        ? void response.writeHead(502, { "content-type": "text/html" }).end("<h1>502 Bad Gateway</h1>")
        : sendSuccess(response, session),
    );
    await getSession(openClient(server.url), "session-1");
    expect(server.requests).toHaveLength(2);
  });

  test("is attempted five times and then fails with the last reason", async () => {
    const server = await startScriptedServer((_, response, call) =>
      sendJson(response, { success: false, message: `busy ${call}` }, 503),
    );
    await expect(getSession(openClient(server.url), "session-1")).rejects.toThrow("busy 5");
    expect(server.requests).toHaveLength(5);
  });

  test.each([
    ["a refusal", 400],
    ["a missing page", 404],
  ])("is not retried after %s", async (_, status) => {
    const server = await startScriptedServer((_, response) => sendJson(response, { success: false }, status));
    await expect(getSession(openClient(server.url), "session-1")).rejects.toBeInstanceOf(AgbApiError);
    expect(server.requests).toHaveLength(1);
  });

  test("is not retried after a page that is not AGB's", async () => {
    const server = await startScriptedServer((_, response) => void response.end("<html>log in to the network</html>"));
    const failure = getSession(openClient(server.url), "session-1");
    await expect(failure).rejects.toBeInstanceOf(AgbUnexpectedReplyError);
    await expect(failure).rejects.not.toThrow(/log in/);
    expect(server.requests).toHaveLength(1);
  });

  test("waits as long as AGB asks", async () => {
    const server = await startScriptedServer((_, response, call) =>
      call === 1 ? sendJson(response, { success: false }, 429, { "retry-after": "1" }) : sendSuccess(response, session),
    );
    const { client, retries } = openObservedClient(server.url);
    await getSession(client, "session-1");
    expect(retries).toMatchObject([{ delayMs: 1_000 }]);
  });

  test("fails immediately when AGB asks for more time than is left", async () => {
    const server = await startScriptedServer((_, response) =>
      sendJson(response, { success: false, code: "Throttling" }, 429, { "retry-after": "3600" }),
    );
    await expect(getSession(openClient(server.url), "session-1")).rejects.toMatchObject({
      code: "Throttling",
      retryAfterMs: 3_600_000,
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe("a create", () => {
  test.each([
    ["a reset connection", AgbNetworkError],
    ["HTTP 503", AgbApiError],
    ["half a reply", AgbNetworkError],
  ])("is not retried after %s, because it may have taken effect", async (kind, expected) => {
    const server = await startScriptedServer((received, response) => {
      if (kind === "HTTP 503") {
        sendJson(response, { success: false }, 503);
      } else if (kind === "half a reply") {
        response.writeHead(200, { "content-length": "100" });
        response.write("{", () => response.destroy());
      } else {
        received.socket.resetAndDestroy();
      }
    });
    await expect(createSession(openClient(server.url), request)).rejects.toBeInstanceOf(expected);
    expect(server.requests).toHaveLength(1);
  });

  test("is retried if there was no connection", async () => {
    const { client, retries } = openObservedClient(`http://${await deadAddress()}`);
    await expect(createSession(client, request)).rejects.toMatchObject({ requestSent: false });
    expect(retries).toHaveLength(4);
  });

  test("that succeeds without naming a session is an unexpected reply", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, { data: { success: true } }));
    await expect(createSession(openClient(server.url), request)).rejects.toThrow(
      /unexpected reply to createSession: data\.sessionId.*request id REQUEST-1/,
    );
  });
});

describe("an address that cannot be reached", () => {
  test("is reported with the endpoint and the reason", async () => {
    const address = await deadAddress();
    await expect(getSession(openClient(`http://${address}`), "session-1")).rejects.toThrow(
      `no connection to http://${address} for getSession: connect ECONNREFUSED ${address}`,
    );
  });

  test("because it does not speak TLS is reported: nothing was sent", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, session));
    const failure = createSession(openClient(server.url.replace("http:", "https:")), request);
    await expect(failure).rejects.toMatchObject({ name: "AgbNetworkError", requestSent: false });
    await expect(failure).rejects.toThrow("Write http:// in front of an endpoint without TLS");
    expect(server.requests).toHaveLength(0);
  });
});

describe("the time limit", () => {
  test("ends a call whose reply does not come", async () => {
    const server = await startScriptedServer(() => {});
    await expect(getSession(openClient(server.url, { timeoutMs: 500 }), "session-1")).rejects.toThrow(
      "AGB did not answer getSession within 500 ms",
    );
    expect(server.requests).toHaveLength(1);
  });

  test("ends a call whose reply never ends", async () => {
    const server = await startScriptedServer((_, response) => {
      response.writeHead(200);
      response.write('{"success":');
    });
    await expect(getSession(openClient(server.url, { timeoutMs: 500 }), "session-1")).rejects.toBeInstanceOf(
      AgbTimeoutError,
    );
  });

  test("holds for a call with all its retries together", async () => {
    const server = await startScriptedServer((_, response, call) => {
      if (call === 1) {
        sendJson(response, { success: false }, 503);
      }
    });
    await expect(getSession(openClient(server.url, { timeoutMs: 1_000 }), "session-1")).rejects.toBeInstanceOf(
      AgbTimeoutError,
    );
    expect(server.requests).toHaveLength(2);
  });
});

describe("a reply of AGB", () => {
  test("about a released session is an AgbNotFoundError, also with HTTP 200", async () => {
    const server = await startScriptedServer((_, response) =>
      sendRefusal(response, "InvalidMcpSession.NotFound", "gone", 200),
    );
    await expect(releaseSession(openClient(server.url), "session-1")).rejects.toMatchObject({
      name: "AgbNotFoundError",
    });
  });

  test("in a wrapped PascalCase envelope is understood", async () => {
    const server = await startScriptedServer((_, response) =>
      sendJson(response, { body: { Success: true, Code: "ok", HttpStatusCode: 200, RequestId: "R" } }),
    );
    await expect(releaseSession(openClient(server.url), "session-1")).resolves.toBeUndefined();
  });

  test("with labels as an object instead of a string is understood", async () => {
    const server = await startScriptedServer((_, response) =>
      sendSuccess(response, { data: { labels: { team: "web" } } }),
    );
    expect(await getLabels(openClient(server.url), "session-1")).toEqual({ team: "web" });
  });

  test("with labels in an unknown form is an error, not a session without labels", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, { data: { labels: "team=web" } }));
    const failure = getLabels(openClient(server.url), "session-1");
    await expect(failure).rejects.toBeInstanceOf(AgbUnexpectedReplyError);
    await expect(failure).rejects.not.toThrow(/team=web/);
  });

  test("never appears with the key in it, even if the server repeats the key", async () => {
    const server = await startScriptedServer((received, response) =>
      sendRefusal(response, "NOT_LOGIN", `bad credential: ${received.headers.authorization}`),
    );
    const failure = getSession(openClient(server.url), "session-1");
    await expect(failure).rejects.toThrow("bad credential");
    await expect(failure).rejects.not.toThrow(new RegExp(testKey));
  });
});

test("a call whose earlier attempt was sent never says that nothing was sent", async () => {
  const server = await startScriptedServer(({ socket }) => {
    // The first try arrives and gets no reply; nobody listens any more when the next one comes.
    void server.close();
    socket.destroy();
  });
  const failure = await releaseSession(openClient(server.url), "session-1").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AgbNetworkError);
  expect(failure).toMatchObject({ requestSent: true });
  expect(server.requests).toHaveLength(1);
});

describe("a reply that AGB never sends", () => {
  test.each([
    ["a list of a million numbers", { data: Array(1_000_000).fill(1) }, "the page has too many sessions"],
    ["a list of 5,000 numbers", { data: Array(5_000).fill(1) }, "data.4: Invalid input"],
  ])("is refused in a short message: %s", async (_, fields, reason) => {
    const server = await startScriptedServer((_request, response) => sendSuccess(response, fields));
    const failure = await listSessions(openClient(server.url))
      .next()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AgbUnexpectedReplyError);
    expect((failure as Error).message).toContain(reason);
    expect((failure as Error).message.length).toBeLessThan(1_000);
  });

  test("is refused when it has more labels than a session can have", async () => {
    const labels = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, { nested: true }]));
    const server = await startScriptedServer((_request, response) => sendSuccess(response, { data: { labels } }));
    await expect(getLabels(openClient(server.url), "session-1")).rejects.toThrow("there are more than 1000 labels");
  });

  test("is refused when it has too many wrappers", async () => {
    const body = `${'{"body":'.repeat(4_000)}{}${"}".repeat(4_000)}`;
    const server = await startScriptedServer((_request, response) => void response.writeHead(200).end(body));
    await expect(getSession(openClient(server.url), "session-1")).rejects.toThrow(AgbUnexpectedReplyError);
  });
});
