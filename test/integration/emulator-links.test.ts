import { type Emulator, ManualClock, startEmulator } from "../../provider/emulator";
import { ask, create, createId, notFound } from "../support/emulator-requests";

const clock = new ManualClock();
let emulator: Emulator;
let url: string;

beforeAll(async () => {
  emulator = await startEmulator({ clock });
  url = emulator.url;
});
beforeEach(() => emulator.reset());
afterAll(() => emulator.close());

const getLink = (query: Record<string, string>) => ask(url, "GET", "/internet/getLink", { query });
const post = (path: string, query: Record<string, string>) => ask(url, "POST", path, { query, body: {} });
const browserSession = async () => (await create(url, {}, "agb-browser-use-1")).body.data.sessionId as string;

test("a port gets a new link with each call", async () => {
  const sessionId = await createId(url);

  const [https, wss, again] = [
    await getLink({ sessionId, protocolType: "https", port: "30100" }),
    await getLink({ sessionId, protocolType: "wss", port: "30199" }),
    await getLink({ sessionId, protocolType: "https", port: "30100" }),
  ];

  expect(https.body.data.url).toMatch(/^https:\/\/[^/]*30100[^/]*\.invalid\//);
  expect(wss.body.data.url).toMatch(/^wss:\/\//);
  expect(again.body.data.url).not.toBe(https.body.data.url);
});

test.each([
  ["port", { port: "30099" }],
  ["port", { port: "30200" }],
  ["port", { port: "8080" }],
  ["port", { port: "x" }],
  ["port", {}],
  ["port", { port: "0" }],
  ["protocolType", { port: "30100", protocolType: "http" }],
])("a bad %s is refused: %j", async (field, query) => {
  const answer = await getLink({ sessionId: await createId(url), ...query } as Record<string, string>);

  expect(answer.status).toBe(400);
  expect(answer.body.message).toContain(`${field}: `);
});

test("a browser session has links without a port and can start its browser", async () => {
  const sessionId = await browserSession();

  expect((await getLink({ sessionId, port: "0" })).body.data.url).toMatch(/^wss:\/\//);
  expect((await post("/internet/getCdpLink", { sessionId })).body.data.url).toMatch(/^wss:\/\//);
  const started = await post("/browser/init", { sessionId, persistentPath: "/tmp/agb_browser", browserOption: "{}" });
  expect(started.body.data).toEqual({ port: 9222 });
  expect((await post("/browser/init", { sessionId, browserOption: "[]" })).body.message).toContain("browserOption: ");
});

test("a session of another image has no browser", async () => {
  const sessionId = await createId(url);

  for (const path of ["/internet/getCdpLink", "/browser/init"]) {
    expect((await post(path, { sessionId })).body).toMatchObject({ success: false, code: "InvalidRequest" });
  }
});

test("an unknown session has no links", async () => {
  const sessionId = "session-never";

  for (const answer of [
    await getLink({ sessionId, port: "30100" }),
    await post("/internet/getCdpLink", { sessionId }),
    await post("/browser/init", { sessionId }),
  ]) {
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject(notFound);
  }
});

describe("tools", () => {
  const call = (body: Record<string, unknown>) =>
    ask(url, "POST", "/mcp", { query: { autoGenSession: "false" }, body });

  test.each([
    ["agb-code-space-1", ["shell", "run_code", "read_file", "write_file"], []],
    ["img-7a8b9c1d0e", ["run_code"], []],
    ["agb-browser-use-1", ["shell"], ["run_code"]],
    ["agb-computer-use-1", ["shell", "click_mouse"], ["run_code"]],
  ])("%s offers the tools of its kind", async (imageId, offered, missing) => {
    const answer = await post("/mcp/listTools", { imageId });
    const tools: { name: string }[] = JSON.parse(answer.body.data);
    const names = tools.map((tool) => tool.name);

    expect(names).toEqual(expect.arrayContaining(offered));
    expect(names.filter((name) => (missing as string[]).includes(name))).toEqual([]);
    for (const tool of tools) {
      expect(tool).toEqual({
        name: expect.any(String),
        tool: tool.name,
        description: expect.any(String),
        server: expect.any(String),
        inputSchema: expect.objectContaining({ type: "object" }),
      });
    }
  });

  test("of an unknown image are refused", async () => {
    expect((await post("/mcp/listTools", { imageId: "nope" })).body).toMatchObject({
      success: false,
      code: "InvalidRequest",
      httpStatusCode: 400,
    });
    expect((await post("/mcp/listTools", {})).body.message).toContain("imageId: ");
  });

  test("a call fails as a tool does, says how to allow it, and sets the idle timer back", async () => {
    const sessionId = await createId(url, {}, { timeout: 60 });
    clock.advance(59_000);

    const answer = await call({ sessionId, name: "shell", args: '{"command":"true"}' });

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ success: true, code: "ok", data: { isError: true } });
    expect(answer.body.data.content[0].text).toContain("--allow-exec");
    expect(emulator.sessions()[0]?.releaseDueAtMs).toBe(clock.now() + 60_000);
  });

  test("a call in an unknown session is not found", async () => {
    expect((await call({ sessionId: "session-never", name: "shell", args: "{}" })).body).toMatchObject({
      success: false,
      code: "InvalidSession.NotFound",
      message: "Resource [Session] is not found.",
      httpStatusCode: 400,
    });
  });

  test.each([
    ["name", { args: "{}" }],
    ["args", { name: "shell", args: "{" }],
    ["args", { name: "shell", args: "[]" }],
    ["args", { name: "shell", args: 7 }],
    ["sessionId", { name: "shell", sessionId: "" }],
  ])("a bad %s is refused", async (field, body) => {
    const answer = await call({ sessionId: await createId(url), ...body });

    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain(`${field}: `);
  });
});
