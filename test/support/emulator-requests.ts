// Plain requests to an emulator, one function each: the tests of the emulator speak HTTP and share no code with the client.

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  readonly body: any;
}

export interface RequestParts {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly key?: string | null;
}

/** Sends one request with JSON headers as AGB's SDKs do; `key: null` leaves out the authorization header. */
export async function ask(
  url: string,
  method: "GET" | "POST",
  path: string,
  { query = {}, body, key = "test-key" }: RequestParts = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}?${new URLSearchParams(query)}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(key !== null && { authorization: `Bearer ${key}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export function create(
  url: string,
  body: Readonly<Record<string, unknown>> = {},
  imageId = "agb-code-space-1",
  key = "test-key",
) {
  return ask(url, "POST", "/mcp/createSession", { query: { imageId }, body, key });
}

/** Creates a session that carries the labels and returns its id. */
export async function createId(
  url: string,
  labels: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, unknown>> = {},
  key?: string,
): Promise<string> {
  const answer = await create(url, { labels: JSON.stringify(labels), ...more }, undefined, key);
  return answer.body.data.sessionId;
}

export function getSession(url: string, sessionId: string) {
  return ask(url, "POST", "/mcp/getSession", { body: { sessionId } });
}

export function getInfo(url: string, sessionId: string) {
  return ask(url, "POST", "/mcp/getMcpResource", { body: { sessionId } });
}

/** The state that getSessionInfo returns, or its failure code. */
export async function status(url: string, sessionId: string): Promise<string> {
  const answer = await ask(url, "POST", "/mcp/getSessionInfo", { body: { sessionId } });
  return answer.body.data?.status ?? answer.body.code;
}

export function release(url: string, sessionId: string) {
  return ask(url, "POST", "/mcp/releaseSessionAsync", { body: { sessionId } });
}

export function keepAlive(url: string, sessionId: string) {
  return ask(url, "POST", "/mcp/refreshSessionIdleTime", { query: { sessionId }, body: {} });
}

export function setLabels(url: string, sessionId: string, labels: Readonly<Record<string, string>>) {
  return ask(url, "POST", "/sdk/SetLabel", { query: { sessionId, Labels: JSON.stringify(labels) } });
}

export function getLabels(url: string, sessionId: string) {
  return ask(url, "GET", "/sdk/GetLabel", { query: { sessionId } });
}

/** The labels themselves, unpacked from their two layers of JSON. */
export async function labelsOf(url: string, sessionId: string): Promise<Record<string, string>> {
  return JSON.parse((await getLabels(url, sessionId)).body.data.labels);
}

export function list(url: string, query: Readonly<Record<string, string>> = {}) {
  return ask(url, "GET", "/sdk/ListSession", { query });
}

/** The ids on one page, in its order. */
export function idsOn(page: Answer): string[] {
  return page.body.data.map((item: { sessionId: string }) => item.sessionId);
}

/** The ids on all pages, in order. */
export async function listAll(url: string, query: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const ids: string[] = [];
  let nextToken = "";
  do {
    const page = await list(url, { ...query, ...(nextToken !== "" && { nextToken }) });
    ids.push(...idsOn(page));
    nextToken = page.body.nextToken;
  } while (nextToken !== "");
  return ids;
}

export const notFound = {
  success: false,
  code: "InvalidMcpSession.NotFound",
  message: "Resource [McpSession] is not found.",
  httpStatusCode: 400,
};

/** Creates a context, or finds the one with the name, and returns its id. */
export async function createContext(url: string, name: string, key = "test-key"): Promise<string> {
  const answer = await ask(url, "GET", "/sdk/GetContext", { query: { name, allowCreate: "true" }, key });
  return answer.body.data.id;
}

export function getContext(url: string, id: string) {
  return ask(url, "GET", "/sdk/GetContext", { query: { id, allowCreate: "false" } });
}

/** An operation on contexts whose parameters are all in the query. */
export function contextCall(url: string, operation: string, query: Readonly<Record<string, string>>, key = "test-key") {
  return ask(url, "POST", `/sdk/${operation}`, { query, body: {}, key });
}

export async function fileUrl(
  url: string,
  way: "Upload" | "Download",
  contextId: string,
  filePath: string,
  key?: string,
) {
  const answer = await contextCall(url, `GetContextFile${way}Url`, { contextId, filePath }, key);
  return answer.body.data.url as string;
}

/** Stores a file as AGB's SDKs do: asks for an address, then sends the content there without a key. */
export async function upload(
  url: string,
  contextId: string,
  filePath: string,
  content: string,
  key?: string,
): Promise<number> {
  const address = await fileUrl(url, "Upload", contextId, filePath, key);
  const response = await fetch(address, { method: "PUT", body: content });
  await response.text();
  return response.status;
}

/** A file's content, or the HTTP status of the refusal. */
export async function download(url: string, contextId: string, filePath: string): Promise<string | number> {
  const response = await fetch(await fileUrl(url, "Download", contextId, filePath));
  const text = await response.text();
  return response.ok ? text : response.status;
}

/** The synchronizations of a session, unpacked from their three layers of JSON. */
export async function syncItems(url: string, sessionId: string, query: Readonly<Record<string, string>> = {}) {
  const { body } = await ask(url, "GET", "/sdk/GetContextInfo", { query: { sessionId, ...query } });
  return JSON.parse(body.data.contextStatus).flatMap((item: { type: string; data: string }) => JSON.parse(item.data));
}

export const contextNotFound = {
  success: false,
  code: "InvalidContext.NotFound",
  message: "Context not found",
  httpStatusCode: 400,
};

/** Calls a tool as AGB's SDKs do, with the arguments as a JSON string. */
export function callTool(
  url: string,
  sessionId: string,
  name: string,
  args: Readonly<Record<string, unknown>> = {},
  key?: string,
) {
  return ask(url, "POST", "/mcp", {
    query: { autoGenSession: "false" },
    body: { sessionId, name, args: JSON.stringify(args) },
    ...(key !== undefined && { key }),
  });
}

/** The text of a tool's result, after `failed: ` if the tool failed. */
export async function toolText(url: string, sessionId: string, name: string, args: Readonly<Record<string, unknown>>) {
  const { body } = await callTool(url, sessionId, name, args);
  const { isError, content } = body.data;
  return `${isError ? "failed: " : ""}${content[0].text}`;
}

/** Runs a shell command with a time limit of ten seconds. */
export async function runShell(
  url: string,
  sessionId: string,
  command: string,
  more: Record<string, unknown> = {},
  key?: string,
) {
  const { body } = await callTool(url, sessionId, "shell", { command, timeout_ms: 10_000, ...more }, key);
  return JSON.parse(body.data.content[0].text) as { stdout: string; stderr: string; exit_code: number };
}
