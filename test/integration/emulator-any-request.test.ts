// Whatever a client sends, the emulator replies with an envelope, never with HTTP 500, and keeps running.

import { Agent, request } from "node:http";
import fc from "fast-check";
import { type Emulator, startEmulator } from "../../provider/emulator";
import { operationNames } from "../../provider/emulator/operations";
import { ask, createContext, createId, fileUrl, getSession, upload } from "../support/emulator-requests";

const runs = 10_000;
// How many requests are sent at the same time.
const batchSize = 10;

type Operation = readonly [method: string, path: string, valid: Readonly<Record<string, string>>];

/** A valid request for each operation. The ids exist. */
function operationsOn(sessionId: string, contextId: string, mounts: string, signature: string): Operation[] {
  const file = { contextId, filePath: "/a/b" };
  const signed = { ...file, operation: "download", expires: "9999999999", signature };
  return [
    [
      "POST",
      "/mcp/createSession",
      { imageId: "agb-code-space-1", sdkStats: "{}", labels: '{"a":"b"}', mcpPolicyId: "x" },
    ],
    ["POST", "/mcp/createSession", { imageId: "img-1", persistenceDataList: mounts, timeout: "60" }],
    ["POST", "/mcp/getSession", { sessionId }],
    ["POST", "/mcp/getSessionInfo", { sessionId }],
    ["POST", "/mcp/getMcpResource", { sessionId }],
    ["GET", "/sdk/ListSession", { maxResults: "3", nextToken: "", labels: '{"a":"b"}', isAll: "true" }],
    ["POST", "/mcp/releaseSessionAsync", { sessionId: "session-gone" }],
    ["POST", "/mcp/releaseSession", { sessionId: "session-gone" }],
    ["POST", "/mcp/refreshSessionIdleTime", { sessionId }],
    ["POST", "/sdk/SetLabel", { sessionId, Labels: '{"a":"b"}' }],
    ["GET", "/sdk/GetLabel", { sessionId, maxResults: "10" }],
    ["GET", "/internet/getLink", { sessionId, protocolType: "https", port: "30100" }],
    ["POST", "/internet/getCdpLink", { sessionId }],
    ["POST", "/browser/init", { sessionId, persistentPath: "/a", browserOption: "{}" }],
    ["POST", "/mcp", { sessionId, name: "shell", args: "{}", server: "x", autoGenSession: "false" }],
    ["POST", "/mcp/listTools", { imageId: "agb-code-space-1" }],
    ["GET", "/sdk/GetContext", { name: "made", allowCreate: "true", loginRegionId: "a" }],
    ["GET", "/sdk/GetContext", { id: contextId, allowCreate: "false" }],
    ["GET", "/sdk/ListContexts", { maxResults: "3", nextToken: "" }],
    ["POST", "/sdk/ModifyContext", { id: contextId, name: "kept" }],
    ["POST", "/sdk/DeleteContext", { id: "SdkCtx-gone" }],
    ["POST", "/sdk/ClearContext", { id: contextId }],
    ["POST", "/sdk/SyncContext", { sessionId, contextId, path: "/a", mode: "upload" }],
    ["GET", "/sdk/GetContextInfo", { sessionId, contextId, path: "/a", taskType: "upload" }],
    ["POST", "/sdk/GetContextFileUploadUrl", file],
    ["POST", "/sdk/GetContextFileDownloadUrl", file],
    ["POST", "/sdk/DeleteContextFile", file],
    ["POST", "/sdk/DescribeContextFiles", { contextId, parentFolderPath: "/a", pageNumber: "1", pageSize: "2" }],
    ["POST", "/sdk/GetAndLoadInternalContext", { sessionId, contextTypes: '["file_transfer"]' }],
    ["GET", "/context-files", signed],
    ["PUT", "/context-files", signed],
  ];
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string | Buffer;
  readonly contentType: string;
}

let emulator: Emulator;
let agent: Agent;

beforeAll(async () => {
  emulator = await startEmulator();
  agent = new Agent({ keepAlive: true, maxSockets: batchSize });
});
afterAll(async () => {
  agent.destroy();
  await emulator.close();
});

function send({ method, path, query, body, contentType }: Sent): Promise<{ status: number; id: string; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: "Bearer test-key",
      "content-type": contentType,
      "content-length": Buffer.byteLength(body),
    };
    const { port } = new URL(emulator.url);
    const outgoing = request(
      { agent, host: "127.0.0.1", port, method, path: `${path}?${query}`, headers },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            id: String(incoming.headers["x-request-id"]),
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** A valid request with some parts missing, damaged or added. Parameters are sent in the query and the body. */
function mutated(operations: readonly Operation[], known: readonly string[]): fc.Arbitrary<Sent> {
  const printable = fc.string({ unit: "grapheme-ascii", maxLength: 20 }).map((text) => text.replace(/[\s#?]/g, "+"));
  const wrong = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...known) },
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.json({ maxDepth: 2 }),
  );
  const mostly = <Value>(valid: Value, other: fc.Arbitrary<Value>) =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(valid) }, { weight: 1, arbitrary: other });
  return fc.constantFrom(...operations).chain(([method, path, valid]) => {
    const parameters = fc.tuple(
      ...Object.entries(valid).map(([name, value]) =>
        mostly<[string, string] | undefined>(
          [name, value],
          fc.oneof(
            fc.constant(undefined),
            wrong.map((text): [string, string] => [name, text]),
          ),
        ),
      ),
      mostly<[string, string] | undefined>(undefined, fc.tuple(fc.oneof(fc.constant("__proto__"), printable), wrong)),
    );
    return fc
      .record({
        method: mostly(method, fc.constantFrom("GET", "POST", "PUT", "DELETE")),
        path: mostly(
          path,
          printable.map((text) => `${path}/${text}`),
        ),
        contentType: mostly("application/json", fc.constantFrom("text/plain", "multipart/form-data", "")),
        parts: parameters.chain((pairs) => {
          const given = pairs.filter((pair) => pair !== undefined);
          return fc.record({
            query: mostly(new URLSearchParams(given).toString(), printable),
            body: mostly<string | Buffer>(
              JSON.stringify(Object.fromEntries(given.map(([name, text]) => [name, asSent(name, text)]))),
              fc.oneof(
                fc.json({ maxDepth: 2 }),
                fc
                  .dictionary(fc.constantFrom(...Object.keys(valid)), fc.jsonValue())
                  .map((fields) => JSON.stringify(fields)),
                fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
              ),
            ),
          });
        }),
      })
      .map(({ parts, ...rest }) => ({ ...rest, ...parts }));
  });
}

/** Two fields of a create are not strings. */
function asSent(name: string, text: string): unknown {
  if (name !== "persistenceDataList" && name !== "timeout") {
    return text;
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

test("every operation is asked", () => {
  const asked = operationsOn("", "", "", "").map(([, path]) => path.split("/").at(-1));

  expect(asked).toEqual(expect.arrayContaining([...operationNames]));
});

test(`${runs} mutated requests get an envelope each, and never a 500`, async () => {
  const { url } = emulator;
  const contextId = await createContext(url, "kept");
  await upload(url, contextId, "/a/b", "text");
  const mounts = JSON.stringify([{ contextId, path: "/a", policy: "{}" }]);
  const sessionId = await createId(url, { team: "a" }, { persistenceDataList: JSON.parse(mounts) });
  const signature = new URL(await fileUrl(url, "Download", contextId, "/a/b")).searchParams.get("signature") ?? "";
  const known = [
    sessionId,
    contextId,
    signature,
    "agb-code-space-1",
    "agb-browser-use-1",
    "shell",
    "run_code",
    "upload",
    "download",
    "/a",
    "/a/b",
    "../..",
    "kept",
    "true",
    "false",
    "https",
    "30100",
    "0",
    "10",
    "-1",
    "1e9",
    "",
    "{}",
    "[]",
    "null",
    '{"a":"b"}',
    '{"a":{}}',
    '["file_transfer"]',
    mounts,
    "%00",
    "__proto__",
  ];
  const statuses = new Map<number, number>();

  await fc.assert(
    fc.asyncProperty(
      fc.array(mutated(operationsOn(sessionId, contextId, mounts, signature), known), {
        minLength: batchSize,
        maxLength: batchSize,
        size: "max",
      }),
      async (batch) => {
        const answers = await Promise.all(batch.map(send));
        for (const { status, id, text } of answers) {
          const envelope = JSON.parse(text);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (
            status >= 500 ||
            envelope.success !== (status === 200) ||
            typeof envelope.code !== "string" ||
            envelope.httpStatusCode !== status ||
            envelope.requestId !== id
          ) {
            throw new Error(`HTTP ${status}: ${text}`);
          }
        }
      },
    ),
    { numRuns: runs / batchSize, endOnFailure: true },
  );

  // If all requests were refused early, the test would prove little.
  expect(statuses.get(200)).toBeGreaterThan(runs / 10);
  expect((await ask(url, "GET", "/sdk/ListSession")).status).toBe(200);
  expect((await getSession(url, await createId(url))).status).toBe(200);
}, 600_000);

test("file tools survive any argument", async () => {
  const open = await startEmulator({ allowExec: true });
  try {
    const sessionId = await createId(open.url);
    const path = fc.oneof(
      fc.constantFrom("/tmp", "/tmp/a", "a", "..", "/", "/tmp/a/b", "/etc/passwd", "a/../../..", "\0"),
      fc.string({ unit: "binary", maxLength: 300 }),
    );
    const args = fc.record(
      {
        path: fc.oneof(path, fc.jsonValue()),
        source: path,
        destination: path,
        content: fc.string({ unit: "binary" }),
        offset: fc.oneof(fc.integer(), fc.double()),
        length: fc.oneof(fc.integer(), fc.double()),
        mode: fc.constantFrom("overwrite", "append", "create_new", "x"),
        format: fc.constantFrom("text", "binary", "x"),
      },
      { requiredKeys: [] },
    );
    const names = [
      "read_file",
      "write_file",
      "list_directory",
      "create_directory",
      "delete_file",
      "get_file_info",
      "move_file",
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), args, async (name, given) => {
        const body = { sessionId, name, args: JSON.stringify(given) };
        const answer = await ask(open.url, "POST", "/mcp", { body });
        expect([200, 400]).toContain(answer.status);
        expect(answer.body.success).toBe(answer.status === 200);
      }),
      { numRuns: 500, endOnFailure: true },
    );
  } finally {
    await open.close();
  }
});
