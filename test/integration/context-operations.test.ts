import {
  clearContext,
  countFiles,
  createContext,
  deleteContext,
  findContext,
  getContext,
  listContexts,
  renameContext,
} from "../../provider/api/contexts";
import { AgbAuthenticationError, AgbNotFoundError } from "../../provider/api/errors";
import { createSession } from "../../provider/api/sessions";
import { openClient } from "../support/agb-client";
import { collect, openEmulator } from "../support/context-service";
import { upload } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { type ReceivedRequest, sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

describe("a context", () => {
  test("is made, found by name and by id, renamed and deleted", async () => {
    const { client } = await openEmulator();
    expect(await findContext(client, "data")).toBeUndefined();
    const made = await createContext(client, "data");
    expect(made).toEqual({ contextId: expect.stringMatching(/^SdkCtx-/), name: "data", state: "available" });
    expect(await findContext(client, "data")).toEqual(made);
    expect(await getContext(client, made.contextId)).toEqual(made);
    expect(await createContext(client, "data")).toEqual(made);

    await renameContext(client, made.contextId, "ü & files");
    expect(await findContext(client, "data")).toBeUndefined();
    expect(await findContext(client, "ü & files")).toEqual({ ...made, name: "ü & files" });

    await deleteContext(client, made.contextId);
    expect(await getContext(client, made.contextId)).toBeUndefined();
    for (const call of [
      () => deleteContext(client, made.contextId),
      () => renameContext(client, made.contextId, "other"),
      () => clearContext(client, made.contextId),
      () => countFiles(client, made.contextId),
    ]) {
      await expect(call()).rejects.toBeInstanceOf(AgbNotFoundError);
    }
  });

  test("shows while it is being cleared", async () => {
    const clock = new FakeClock();
    const { emulator, client } = await openEmulator({ clock, clearDelayMs: 1_000 });
    const { contextId } = await createContext(client, "data");
    await upload(emulator.url, contextId, "/a", "text");
    await clearContext(client, contextId);
    expect(await getContext(client, contextId)).toMatchObject({ state: "clearing" });
    clock.advance(1_000);
    expect(await getContext(client, contextId)).toMatchObject({ state: "available" });
    expect(await countFiles(client, contextId)).toEqual({ files: 0, isComplete: true });
  });

  test("is listed once over all pages", async () => {
    const { emulator, client } = await openEmulator();
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    for (const name of names) {
      await createContext(client, name);
    }
    const listed = await collect(listContexts(client, 3));
    expect(listed.map(({ name }) => name).sort()).toEqual(names);
    expect(emulator.requestCounts()["ListContexts"]).toBe(3);
  });

  test("of another name is never taken for the one that was looked for", async () => {
    const server = await startScriptedServer((_, response) =>
      sendSuccess(response, { data: { id: "SdkCtx-1", name: "other", state: "available" } }),
    );
    const client = openClient(server.url);
    await expect(findContext(client, "data")).rejects.toThrow("another context");
    await expect(createContext(client, "data")).rejects.toMatchObject({ name: "AgbUnexpectedReplyError" });
    await expect(getContext(client, "SdkCtx-2", "data")).rejects.toThrow("another context");
    await expect(findContext(client, " other ")).resolves.toMatchObject({ contextId: "SdkCtx-1" });
  });
});

test("a wrong key is an authentication failure for every call, never a context that is gone", async () => {
  const { emulator, client } = await openEmulator();
  const { contextId } = await createContext(client, "data");
  emulator.setApiKeys(["another-key"]);
  for (const call of [
    () => findContext(client, "never"),
    () => getContext(client, contextId, "data"),
    () => createContext(client, "new"),
    () => renameContext(client, contextId, "new"),
    () => deleteContext(client, contextId),
    () => clearContext(client, contextId),
    () => listContexts(client).next(),
    () => countFiles(client, contextId),
  ]) {
    await expect(call()).rejects.toBeInstanceOf(AgbAuthenticationError);
  }
});

test.each([
  ["a proxy's page", { status: 404, body: "<h1>404 Not Found: Context not found</h1>" }],
  ["a failing server", { status: 503, body: { success: false, code: "ContextNotFound" } }],
  ["a call that is not deployed", { status: 404, body: { success: false, code: "InvalidAction.NotFound" } }],
  ["a reply without data", { status: 200, body: { success: true } }],
])("%s says nothing of a context", async (_what, answer) => {
  const { emulator, client } = await openEmulator();
  const { contextId } = await createContext(client, "data");
  emulator.addFault({ operation: "GetContext", answer });
  await expect(findContext(client, "data")).rejects.toThrow();
  await expect(getContext(client, contextId, "data")).rejects.toThrow();
  expect(emulator.requestCounts()["ListContexts"]).toBeUndefined();
});

describe("a lookup by id that AGB refuses", () => {
  /** A service that looks up names only. */
  function startNamesOnly(contexts: Record<string, string>) {
    return startScriptedServer(({ path, query }, response) => {
      const name = query["name"];
      const items = Object.entries(contexts).map(([id, named]) => ({ id, name: named }));
      if (path.endsWith("/ListContexts")) {
        sendSuccess(response, { data: items, nextToken: "" });
      } else if (name === undefined) {
        sendRefusal(response, "InvalidParameter", "Name is missing");
      } else {
        const found = items.find((item) => item.name === name);
        found ? sendSuccess(response, { data: found }) : sendRefusal(response, "InvalidContext.NotFound");
      }
    });
  }

  const asked = (requests: readonly ReceivedRequest[]) =>
    requests.map(({ path, query: { id, name } }) =>
      path.endsWith("/ListContexts") ? "list" : `${id ?? ""}|${name ?? ""}`,
    );

  test("is made by the known name, never by both", async () => {
    const server = await startNamesOnly({ "SdkCtx-1": "data" });
    const client = openClient(server.url);
    expect(await getContext(client, "SdkCtx-1", "data")).toMatchObject({ contextId: "SdkCtx-1", name: "data" });
    expect(asked(server.requests)).toEqual(["SdkCtx-1|", "|data"]);
  });

  test("finds a context that was renamed, also when another one has its name now", async () => {
    const server = await startNamesOnly({ "SdkCtx-1": "new", "SdkCtx-2": "data" });
    const client = openClient(server.url);
    expect(await getContext(client, "SdkCtx-1", "data")).toMatchObject({ contextId: "SdkCtx-1", name: "new" });
    expect(await getContext(client, "SdkCtx-1", "older")).toMatchObject({ contextId: "SdkCtx-1", name: "new" });
    expect(asked(server.requests)).toEqual(["SdkCtx-1|", "|data", "list", "SdkCtx-1|", "|older", "list"]);
  });

  test("means that it is gone when neither its name nor the list has it", async () => {
    const server = await startNamesOnly({ "SdkCtx-2": "data" });
    const client = openClient(server.url);
    expect(await getContext(client, "SdkCtx-1", "data")).toBeUndefined();
    expect(await getContext(client, "SdkCtx-1", "older")).toBeUndefined();
  });

  test.each([
    ["has no data", {}],
    ["has null as data", { data: null }],
    ["counts more contexts than it lists", { data: [{ id: "SdkCtx-9", name: "other" }], totalCount: 5 }],
  ])("proves no absence where the list %s", async (_what, list) => {
    const server = await startScriptedServer(({ path, query }, response) =>
      path.endsWith("/ListContexts")
        ? sendSuccess(response, list)
        : sendRefusal(response, query["id"] === undefined ? "InvalidContext.NotFound" : "InvalidParameter"),
    );
    await expect(getContext(openClient(server.url), "SdkCtx-1", "data")).rejects.toMatchObject({
      name: "AgbUnexpectedReplyError",
      operation: "ListContexts",
      message: expect.not.stringContaining(": :"),
    });
  });

  test("means that it is gone where the list says that there are no contexts", async () => {
    for (const list of [
      { data: [] },
      { totalCount: 0 },
      { data: [{ id: "SdkCtx-9", name: "other" }], totalCount: 1 },
    ]) {
      const server = await startScriptedServer(({ path, query }, response) =>
        path.endsWith("/ListContexts")
          ? sendSuccess(response, list)
          : sendRefusal(response, query["id"] === undefined ? "InvalidContext.NotFound" : "InvalidParameter"),
      );
      expect(await getContext(openClient(server.url), "SdkCtx-1", "data")).toBeUndefined();
    }
  });

  test("fails when no name is known", async () => {
    const server = await startNamesOnly({});
    await expect(getContext(openClient(server.url), "SdkCtx-1")).rejects.toThrow("Name is missing");
    expect(asked(server.requests)).toEqual(["SdkCtx-1|"]);
  });

  test.each([
    ["a wrong key", "NOT_LOGIN", 400],
    ["an outage", "ServiceUnavailable", 503],
    ["too many calls", "Throttling", 429],
    ["a call that is not deployed", "InvalidAction.NotFound", 404],
  ])("is not what %s is: nothing else is asked, and nothing counts as gone", async (_what, code, status) => {
    const server = await startScriptedServer(({ path, query: { id } }, response) =>
      path.endsWith("/ListContexts")
        ? sendSuccess(response, { data: [] })
        : id === undefined
          ? sendRefusal(response, "InvalidContext.NotFound")
          : sendRefusal(response, code, "no", status),
    );
    await expect(getContext(openClient(server.url), "SdkCtx-1", "data")).rejects.toMatchObject({ code });
    expect(new Set(asked(server.requests))).toEqual(new Set(["SdkCtx-1|"]));
  });

  test("fails when the look by name fails", async () => {
    const server = await startScriptedServer(({ query: { id } }, response) =>
      sendRefusal(response, id === undefined ? "NOT_LOGIN" : "InvalidParameter"),
    );
    await expect(getContext(openClient(server.url), "SdkCtx-1", "data")).rejects.toBeInstanceOf(AgbAuthenticationError);
  });
});

test("a create whose reply is lost is repeated and makes one context", async () => {
  const { emulator, client } = await openEmulator();
  emulator.addFault({ operation: "GetContext", calls: 1, when: "after", answer: "reset" });
  const made = await createContext(client, "data");
  expect(emulator.contexts()).toMatchObject([{ contextId: made.contextId, name: "data" }]);
});

test("a list of contexts without an end fails after a bounded number of calls", async () => {
  const server = await startScriptedServer((_, response, call) =>
    sendSuccess(response, { data: [], nextToken: `token ${call}` }),
  );
  await expect(listContexts(openClient(server.url)).next()).rejects.toMatchObject({ name: "AgbEndlessListError" });
  expect(server.requests).toHaveLength(100);
});

describe("a session that is made", () => {
  const imageId = "agb-code-space-1";

  test("with contexts mounts them, each with a policy", async () => {
    const { emulator, client } = await openEmulator();
    const { contextId } = await createContext(client, "data");
    const mounts = [{ contextId, path: "/home/data" }];
    await createSession(client, { imageId, labels: {}, mounts });
    expect(emulator.requestCounts()).toMatchObject({ createSession: 1 });
    const server = await startScriptedServer((_, response) =>
      sendSuccess(response, { data: { sessionId: "session-1" } }),
    );
    await createSession(openClient(server.url), { imageId, labels: {}, mounts });
    const { persistenceDataList } = JSON.parse(server.requests[0]?.body ?? "");
    expect(persistenceDataList).toEqual([
      { contextId, path: "/home/data", policy: expect.stringContaining("autoUpload") },
    ]);
  });

  test.each([undefined, []])("without contexts (%j) is asked for in the same bytes as ever", async (mounts) => {
    const server = await startScriptedServer((_, response) =>
      sendSuccess(response, { data: { sessionId: "session-1" } }),
    );
    await createSession(openClient(server.url), { imageId, labels: { team: "web" }, mounts });
    expect(server.requests[0]?.body).toBe('{"labels":"{\\"team\\":\\"web\\"}"}');
  });
});
