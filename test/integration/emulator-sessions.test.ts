import { type Emulator, ManualClock, startEmulator } from "../../provider/emulator";
import {
  ask,
  create,
  createContext,
  createId,
  getInfo,
  getLabels,
  getSession,
  idsOn,
  keepAlive,
  list,
  notFound,
  release,
  setLabels,
  status,
} from "../support/emulator-requests";

const clock = new ManualClock();
let emulator: Emulator;
let url: string;

beforeAll(async () => {
  emulator = await startEmulator({ clock, maximumSessions: 3 });
  url = emulator.url;
});
beforeEach(() => emulator.reset());
afterAll(() => emulator.close());

describe("create", () => {
  test("answers with an envelope and the new session's data", async () => {
    const answer = await create(url, { labels: '{"team":"a"}' });

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      success: true,
      code: "ok",
      httpStatusCode: 200,
      requestId: expect.stringMatching(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/),
      data: {
        success: true,
        sessionId: expect.stringMatching(/^session-[a-z0-9]{25}$/),
        appInstanceId: expect.stringMatching(/^ai-[a-z0-9]+$/),
        resourceId: expect.stringMatching(/^p-[a-z0-9]+$/),
        resourceUrl: expect.stringContaining("resourceId=p-"),
        linkUrl: "",
        wsUrl: "",
        token: "",
      },
    });
    expect(answer.headers.get("x-request-id")).toBe(answer.body.requestId);
  });

  test("keeps the session's properties and shows them to the test", async () => {
    const sessionId = await createId(url, { team: "a" }, { timeout: 60, mcpPolicyId: "longDuration-policy" });

    expect(emulator.sessions()).toEqual([
      {
        sessionId,
        state: "RUNNING",
        imageId: "agb-code-space-1",
        policyId: "longDuration-policy",
        labels: { team: "a" },
        appInstanceId: expect.any(String),
        resourceId: expect.any(String),
        idleTimeoutSeconds: 60,
        maximumLifetimeSeconds: 86_400,
        createdAtMs: clock.now(),
        lastActivityAtMs: clock.now(),
        releaseDueAtMs: clock.now() + 60_000,
      },
    ]);
  });

  test("ignores telemetry and accepts every body field that AGB's SDKs send", async () => {
    const contextId = await createContext(url, "data");
    const answer = await ask(url, "POST", "/mcp/createSession", {
      query: { imageId: "agb-browser-use-1", sdkStats: '{"source":"sdk"}' },
      body: {
        labels: "{}",
        timeout: 0,
        mcpPolicyId: "",
        persistenceDataList: [{ contextId, path: "/tmp/data", policy: "{}" }],
        sessionId: "session-chosen",
        contextId: "",
      },
    });

    expect(answer.body.data.success).toBe(true);
    expect(answer.body.data.sessionId).not.toBe("session-chosen");
    expect(emulator.sessions()[0]?.idleTimeoutSeconds).toBe(300);
  });

  test("of an unknown image fails inside a reply that reports success", async () => {
    const answer = await create(url, {}, "linux_latest");

    expect(answer.status).toBe(200);
    expect(answer.body.success).toBe(true);
    expect(answer.body.data).toEqual({ success: false, errMsg: expect.stringContaining('"linux_latest"') });
    expect(emulator.sessions()).toEqual([]);
  });

  test("accepts custom images", async () => {
    expect((await create(url, {}, "img-7a8b9c1d0e")).body.data.success).toBe(true);
  });

  test("over the quota fails until a session is released", async () => {
    const first = await createId(url);
    await createId(url);
    await createId(url);

    const refused = await create(url);
    await release(url, first);
    const accepted = await create(url);

    expect(refused.body.success).toBe(true);
    expect(refused.body.data).toEqual({ success: false, errMsg: expect.stringMatching(/quota of 3 concurrent/) });
    expect(accepted.body.data.success).toBe(true);
  });

  test.each([
    ["imageId", {}, {}],
    ["imageId", { imageId: " " }, {}],
    ["timeout", { imageId: "agb-code-space-1" }, { timeout: -1 }],
    ["timeout", { imageId: "agb-code-space-1" }, { timeout: 1.5 }],
    ["timeout", { imageId: "agb-code-space-1" }, { timeout: "60" }],
    ["labels", { imageId: "agb-code-space-1" }, { labels: { team: "a" } }],
    ["labels", { imageId: "agb-code-space-1" }, { labels: "team=a" }],
    ["labels", { imageId: "agb-code-space-1" }, { labels: '["team"]' }],
    ["labels", { imageId: "agb-code-space-1" }, { labels: '{"team":1}' }],
    ["mcpPolicyId", { imageId: "agb-code-space-1" }, { mcpPolicyId: 7 }],
    ["persistenceDataList", { imageId: "agb-code-space-1" }, { persistenceDataList: "none" }],
    ["persistenceDataList.0.path", { imageId: "agb-code-space-1" }, { persistenceDataList: [{ contextId: "c" }] }],
  ])("refuses a bad %s and names it (%j %j)", async (field, query, body) => {
    const answer = await ask(url, "POST", "/mcp/createSession", { query: query as Record<string, string>, body });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ success: false, httpStatusCode: 400 });
    expect(answer.body.message).toContain(`${field}: `);
    expect(emulator.sessions()).toEqual([]);
  });
});

describe("read", () => {
  test("get, info and status return the same stable ids, and a new access code each time", async () => {
    const created = (await create(url)).body.data;
    const first = (await getSession(url, created.sessionId)).body.data;
    const second = (await getSession(url, created.sessionId)).body.data;
    const info = (await getInfo(url, created.sessionId)).body.data;

    for (const data of [first, second]) {
      expect(data).toMatchObject({
        sessionId: created.sessionId,
        appInstanceId: created.appInstanceId,
        resourceId: created.resourceId,
        status: "RUNNING",
      });
    }
    expect(info).toEqual({
      sessionId: created.sessionId,
      resourceUrl: expect.stringContaining(`resourceId=${created.resourceId}`),
      desktopInfo: {
        appId: created.appInstanceId,
        authCode: expect.any(String),
        connectionProperties: expect.any(String),
        resourceId: created.resourceId,
        resourceType: "AIAgent",
        ticket: expect.any(String),
      },
    });
    JSON.parse(info.desktopInfo.connectionProperties);
    const urls = [created, first, second, info].map((data) => data.resourceUrl);
    expect(new Set(urls).size).toBe(4);
    expect(await status(url, created.sessionId)).toBe("RUNNING");
  });

  test.each(["/mcp/getSession", "/mcp/getSessionInfo", "/mcp/getMcpResource", "/mcp/releaseSessionAsync"])(
    "%s accepts the id sent in both spellings, and needs the usual one",
    async (path) => {
      const sessionId = await createId(url);

      const without = await ask(url, "POST", path, { body: { SessionId: sessionId } });
      const both = await ask(url, "POST", path, { body: { sessionId, SessionId: sessionId } });

      expect(without.status).toBe(400);
      expect(without.body.message).toContain("sessionId: ");
      expect(both.body.success).toBe(true);
    },
  );
});

describe("release", () => {
  test("is seen as DELETING by the status call only, and then by nobody", async () => {
    const sessionId = await createId(url);

    const released = await release(url, sessionId);

    expect(released.status).toBe(200);
    expect(released.body).toEqual({
      success: true,
      code: "ok",
      httpStatusCode: 200,
      requestId: released.body.requestId,
    });
    expect(await status(url, sessionId)).toBe("DELETING");
    for (const reply of [
      await getSession(url, sessionId),
      await getInfo(url, sessionId),
      await getLabels(url, sessionId),
      await setLabels(url, sessionId, { a: "b" }),
      await keepAlive(url, sessionId),
      await release(url, sessionId),
    ]) {
      expect(reply.status).toBe(400);
      expect(reply.body).toMatchObject(notFound);
    }
    expect(idsOn(await list(url))).toEqual([]);
    expect(emulator.sessions()).toMatchObject([{ sessionId, state: "DELETING" }]);

    clock.advance(199);
    expect(await status(url, sessionId)).toBe("DELETING");
    clock.advance(1);
    expect(await status(url, sessionId)).toBe("InvalidMcpSession.NotFound");
    expect(emulator.sessions()).toEqual([]);
  });

  test("of the old kind is complete when it answers", async () => {
    const sessionId = await createId(url);

    const released = await ask(url, "POST", "/mcp/releaseSession", { body: { sessionId } });

    expect(released.body.success).toBe(true);
    expect(await status(url, sessionId)).toBe("InvalidMcpSession.NotFound");
  });

  test("of an unknown session is not found", async () => {
    expect((await release(url, "session-never")).body).toMatchObject(notFound);
  });
});

describe("behind a client's back", () => {
  test("a release leaves nothing", async () => {
    const sessionId = await createId(url);

    await emulator.release(sessionId);

    expect((await getInfo(url, sessionId)).body).toMatchObject(notFound);
    await expect(emulator.release(sessionId)).rejects.toThrow(sessionId);
  });

  test("the keys can be changed", async () => {
    emulator.setApiKeys(["new-key"]);

    const old = await list(url);
    const renewed = await ask(url, "GET", "/sdk/ListSession", { key: "new-key" });

    expect(old.body.code).toBe("NOT_LOGIN");
    expect(renewed.body.success).toBe(true);
  });
});
