import { AgbAuthenticationError, AgbNotFoundError } from "../../provider/api/errors";
import { getLabels, setLabels } from "../../provider/api/labels";
import {
  confirmSessionIsAlive,
  createSession,
  getSession,
  getSessionStatus,
  listSessions,
  refreshIdleTime,
  releaseSession,
} from "../../provider/api/sessions";
import {
  defaultReleaseTimeoutMs,
  observeSession,
  releaseAndWait,
  replaceLabels,
} from "../../provider/lifecycle/session";
import { openClient } from "../support/agb-client";
import { startTestEmulator } from "../support/agb-emulator";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

const imageId = "agb-code-space-1";
const gone = "InvalidMcpSession.NotFound";

async function makeSession(options: Parameters<typeof startTestEmulator>[0] = {}, labels = { team: "web" }) {
  const emulator = await startTestEmulator(options);
  const client = openClient(emulator.url);
  const { sessionId } = await createSession(client, { imageId, labels });
  return { emulator, client, sessionId };
}

describe("a session", () => {
  test("is created as requested and returns its unchanging parts", async () => {
    const emulator = await startTestEmulator();
    const client = openClient(emulator.url);
    const created = await createSession(client, {
      imageId,
      labels: { team: "web" },
      idleTimeoutSeconds: 600,
      policyId: "longDuration-policy",
    });
    expect(emulator.sessions()).toEqual([
      expect.objectContaining({
        ...created,
        imageId,
        labels: { team: "web" },
        idleTimeoutSeconds: 600,
        policyId: "longDuration-policy",
      }),
    ]);
    expect(await getSession(client, created.sessionId)).toEqual(created);
  });

  test("with an unknown image is refused with AGB's message, in one call", async () => {
    const emulator = await startTestEmulator();
    const failure = createSession(openClient(emulator.url), { imageId: "nonsense", labels: {} });
    await expect(failure).rejects.toThrow(/^AGB refused createSession: .*nonsense/);
    expect(emulator.requestCounts()).toEqual({ createSession: 1 });
  });

  test("runs until it is released and is then gone for every call", async () => {
    const { client, sessionId } = await makeSession();
    await confirmSessionIsAlive(client, sessionId);
    expect(await getSessionStatus(client, sessionId)).toBe("RUNNING");
    await releaseSession(client, sessionId);
    for (const call of [
      () => getSession(client, sessionId),
      () => getSessionStatus(client, sessionId),
      () => confirmSessionIsAlive(client, sessionId),
      () => refreshIdleTime(client, sessionId),
      () => releaseSession(client, sessionId),
      () => getLabels(client, sessionId),
      () => setLabels(client, sessionId, { team: "ops" }),
    ]) {
      await expect(call()).rejects.toBeInstanceOf(AgbNotFoundError);
    }
  });

  test("is kept alive by restarting its idle time, and only by that", async () => {
    const clock = new FakeClock();
    const { client, sessionId } = await makeSession({ clock, defaultIdleTimeoutSeconds: 60 });
    clock.advance(50_000);
    await refreshIdleTime(client, sessionId);
    clock.advance(50_000);
    expect(await getSessionStatus(client, sessionId)).toBe("RUNNING");
    clock.advance(10_000);
    await expect(getSession(client, sessionId)).rejects.toBeInstanceOf(AgbNotFoundError);
  });

  test("is listed by its labels, once over all pages", async () => {
    const emulator = await startTestEmulator();
    const client = openClient(emulator.url);
    const made = await Promise.all(
      Array.from({ length: 7 }, () => createSession(client, { imageId, labels: { team: "web", stage: "test" } })),
    );
    await createSession(client, { imageId, labels: { team: "ops" } });
    const listed: string[] = [];
    for await (const { sessionId, status } of listSessions(client, { team: "web" }, 3)) {
      expect(status).toBe("RUNNING");
      listed.push(sessionId);
    }
    expect(listed.sort()).toEqual(made.map(({ sessionId }) => sessionId).sort());
    expect(emulator.requestCounts()["ListSession"]).toBe(3);
  });

  test("is listed without a filter, and not by a label that it does not have", async () => {
    const { client, sessionId } = await makeSession();
    expect((await listSessions(client).next()).value).toEqual({ sessionId, status: "RUNNING" });
    expect(await listSessions(client, { team: "web", stage: "none" }).next()).toEqual({ done: true, value: undefined });
  });
});

test("labels are read back as they were set, whatever they contain", async () => {
  const { client, sessionId } = await makeSession();
  const labels = { "a b+c&d=e": "ü\u2028😀 %20 #?/", constructor: "{}", ключ: '"' };
  await setLabels(client, sessionId, labels);
  expect(await getLabels(client, sessionId)).toEqual(labels);
  await setLabels(client, sessionId, {});
  expect(await getLabels(client, sessionId)).toEqual({});
});

test("twenty labels of the maximum length pass through the URL", async () => {
  const { client, sessionId } = await makeSession();
  const labels = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`${index} `.padEnd(128, "ü"), "😀".repeat(128)]),
  );
  await setLabels(client, sessionId, labels);
  expect(await getLabels(client, sessionId)).toEqual(labels);
});

test("a wrong key is an authentication failure for every call, never a session that is gone", async () => {
  const { emulator, client, sessionId } = await makeSession();
  emulator.setApiKeys(["another-key"]);
  for (const call of [
    () => createSession(client, { imageId, labels: {} }),
    () => getSession(client, sessionId),
    () => confirmSessionIsAlive(client, sessionId),
    () => releaseSession(client, sessionId),
    () => getLabels(client, "session-that-never-was"),
    () => listSessions(client).next(),
  ]) {
    await expect(call()).rejects.toBeInstanceOf(AgbAuthenticationError);
  }
});

describe("observing a session", () => {
  test("takes two calls and finds its labels", async () => {
    const { emulator, client, sessionId } = await makeSession();
    expect(await observeSession(client, sessionId)).toEqual({ labels: { team: "web" } });
    expect(emulator.requestCounts()).toEqual({ createSession: 1, getMcpResource: 1, GetLabel: 1 });
  });

  test("finds nothing when it is gone", async () => {
    const { emulator, client, sessionId } = await makeSession();
    await emulator.release(sessionId);
    expect(await observeSession(client, sessionId)).toBeUndefined();
  });

  test.each([
    ["getMcpResource", "GetLabel"],
    ["GetLabel", "getMcpResource"],
  ])("believes no %s that says gone while %s says that the key is wrong", async (goneCall) => {
    const server = await startScriptedServer(({ path }, response) =>
      sendRefusal(response, path.endsWith(goneCall) ? gone : "NOT_LOGIN"),
    );
    await expect(observeSession(openClient(server.url), "session-1")).rejects.toBeInstanceOf(AgbAuthenticationError);
  });

  test.each(["getMcpResource", "GetLabel"] as const)("throws if %s fails otherwise", async (operation) => {
    const { emulator, client, sessionId } = await makeSession();
    emulator.addFault({ operation, answer: { status: 404, body: "<h1>404 Not Found</h1>" } });
    await expect(observeSession(client, sessionId)).rejects.toThrow("a proxy may have answered (HTTP 404");
  });

  test("throws if the labels cannot be read", async () => {
    const { emulator, client, sessionId } = await makeSession();
    emulator.addFault({ operation: "GetLabel", answer: { status: 200, body: { success: true, data: { labels: 5 } } } });
    await expect(observeSession(client, sessionId)).rejects.toThrow("unexpected reply to GetLabel");
  });
});

describe("replacing labels", () => {
  test("returns the session's labels after the change", async () => {
    const { client, sessionId } = await makeSession();
    expect(await replaceLabels(client, sessionId, { stage: "test" })).toEqual({ stage: "test" });
  });

  test("also returns the dropped ones if AGB merges", async () => {
    const { client, sessionId } = await makeSession({ setLabel: "merge" });
    expect(await replaceLabels(client, sessionId, { stage: "test" })).toEqual({ team: "web", stage: "test" });
  });
});

describe("a release", () => {
  test("waits until the session is gone, with growing intervals", async () => {
    const clock = new FakeClock();
    const { emulator, client, sessionId } = await makeSession({ clock, releaseDelayMs: 3_000 });
    await releaseAndWait(client, sessionId, clock);
    expect(emulator.sessions()).toEqual([]);
    expect(clock.sleeps.slice(0, 3)).toEqual([100, 150, 225]);
    expect(Math.max(...clock.sleeps)).toBeLessThanOrEqual(1_000);
    expect(emulator.requestCounts()["getSessionInfo"]).toBe(clock.sleeps.length + 1);
  });

  test("of a session that is gone immediately takes two calls and no wait", async () => {
    const clock = new FakeClock();
    const { emulator, client, sessionId } = await makeSession({ clock, releaseDelayMs: 0 });
    await releaseAndWait(client, sessionId, clock);
    expect(clock.sleeps).toEqual([]);
    expect(emulator.requestCounts()).toEqual({ createSession: 1, releaseSessionAsync: 1, getSessionInfo: 1 });
  });

  test("of a session that is already gone is a success in one call", async () => {
    const { emulator, client, sessionId } = await makeSession();
    await emulator.release(sessionId);
    await releaseAndWait(client, sessionId, new FakeClock());
    expect(emulator.requestCounts()).toEqual({ createSession: 1, releaseSessionAsync: 1 });
  });

  test.each(["FINISH", "DELETED", "finish"])("is over when the status is %s", async (status) => {
    const clock = new FakeClock();
    const server = await startScriptedServer((_, response) => sendSuccess(response, { data: { status } }));
    await releaseAndWait(openClient(server.url), "session-1", clock);
    expect(clock.sleeps).toEqual([]);
  });

  test.each(["DELETING", "SOMETHING_NEW", ""])(
    "that stays at the status %j fails after five minutes",
    async (status) => {
      const clock = new FakeClock();
      const server = await startScriptedServer((_, response) => sendSuccess(response, { data: { status } }));
      await expect(releaseAndWait(openClient(server.url), "session-1", clock)).rejects.toThrow(
        "AGB accepted the release of session session-1, but the session still exists after 300000 ms",
      );
      expect(clock.elapsedMs()).toBe(defaultReleaseTimeoutMs);
      expect(server.requests.length).toBeLessThan(400);
    },
  );

  test("with a wrong key is an error, not a success", async () => {
    const { emulator, client, sessionId } = await makeSession();
    emulator.setApiKeys(["another-key"]);
    await expect(releaseAndWait(client, sessionId, new FakeClock())).rejects.toBeInstanceOf(AgbAuthenticationError);
  });

  test("whose key becomes wrong during the wait is an error, not a success", async () => {
    const { emulator, client, sessionId } = await makeSession({ releaseDelayMs: 60_000 });
    emulator.addFault({ operation: "getSessionInfo", answer: { status: 401 } });
    await expect(releaseAndWait(client, sessionId, new FakeClock())).rejects.toBeInstanceOf(AgbAuthenticationError);
  });

  test("whose reply is lost is retried and succeeds", async () => {
    const { emulator, client, sessionId } = await makeSession();
    emulator.addFault({ operation: "releaseSessionAsync", calls: 1, when: "after", answer: "reset" });
    await releaseAndWait(client, sessionId, new FakeClock());
    expect(emulator.sessions()).toEqual([]);
  });
});
