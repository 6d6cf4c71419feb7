import { startTestEmulator, testKey } from "../support/agb-emulator";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts, openHost } from "../support/resource-hosts";
import {
  deadAddress,
  type Script,
  sendJson,
  sendRefusal,
  sendSuccess,
  startScriptedServer,
} from "../support/scripted-server";
import { declare } from "../support/session-stack";

describe.each(hosts)("served by the %s host", (host) => {
  // In its first check, a provider looks once whether the endpoint is AGB's and accepts the key.

  withoutRetryDelay();

  beforeEach(() => {
    jest.spyOn(console, "error").mockImplementation();
  });

  function openProvider(endpoint: string, environment: Record<string, string> = {}) {
    const { session: provider, configure } = openHost(host, environment);
    configure({ "agb:apiKey": testKey, "agb:endpoint": endpoint });
    const check = async () => (await provider.check({}, declare())).failures ?? [];
    return { check, configure };
  }

  const page: Script = (_, response) => void response.writeHead(404).end("<h1>Not Found</h1>");

  test("many concurrent checks look once, and later ones do not look again", async () => {
    const agb = await startScriptedServer((_, response) => sendSuccess(response, { data: [] }));
    const { check } = openProvider(agb.url);
    expect((await Promise.all(Array.from({ length: 50 }, check))).flat()).toEqual([]);
    expect(await check()).toEqual([]);
    expect(agb.operations()).toEqual(["ListSession"]);
    expect(agb.requests[0]?.query).toEqual({ labels: "{}", maxResults: "1" });
  });

  test("a new configuration is checked again", async () => {
    const agb = await startTestEmulator();
    const { check, configure } = openProvider(agb.url);
    expect(await check()).toEqual([]);
    configure({ "agb:apiKey": "wrong-key", "agb:endpoint": agb.url });
    expect(await check()).toHaveLength(1);
    configure({ "agb:apiKey": testKey, "agb:endpoint": agb.url });
    expect(await check()).toEqual([]);
  });

  test("a refused key fails every check, with where it came from and the command that changes it", async () => {
    const agb = await startScriptedServer((_, response) => sendRefusal(response, "NOT_LOGIN"));
    const { check } = openProvider(agb.url);
    const failures = await Promise.all([check(), check(), check()]);
    for (const [failure] of failures) {
      expect(failure).toEqual({
        property: "",
        reason: expect.stringMatching(
          /^AGB cannot be used with the current settings: AGB refused ListSession: .*Check that the API key from agb:apiKey is valid .*`pulumi config set --secret agb:apiKey`.*run `pulumi refresh --run-program` first\. \[AGB202\]$/,
        ),
      });
    }
    expect(agb.operations()).toEqual(["ListSession"]);
  });

  test("the environment's key is not tried instead, because a create needs the configured one", async () => {
    const agb = await startTestEmulator({ apiKeys: ["environment-key"] });
    const { check } = openProvider(agb.url, { AGB_API_KEY: "environment-key" });
    expect(await check()).toEqual([
      { property: "", reason: expect.stringContaining("Check that the API key from agb:apiKey is valid") },
    ]);
  });

  test.each<[string, Script]>([
    ["a page", page],
    ["a page that says that all is well", (_, response) => void response.end("<h1>Welcome</h1>")],
    ["JSON of something else", (_, response) => sendJson(response, { ok: true })],
    [
      "the page of a proxy that cannot reach it",
      (_, response) => void response.writeHead(502).end("<h1>Bad Gateway</h1>"),
    ],
    ["a list that is none", (_, response) => sendSuccess(response, { data: "none" })],
    ["a closed connection", ({ socket }) => void socket.destroy()],
  ])("an endpoint that answers with %s fails the check, and the error names it", async (_, script) => {
    const other = await startScriptedServer(script);
    const { check } = openProvider(other.url);
    const [failure, ...more] = await check();
    expect(more).toEqual([]);
    expect(failure?.reason).toContain(`The endpoint is ${other.url}, from agb:endpoint. To change it, run`);
  });

  test("an endpoint where nothing listens fails the check, and the error names it", async () => {
    const endpoint = `http://${await deadAddress()}`;
    const [failure] = await openProvider(endpoint).check();
    expect(failure?.reason).toContain(`The endpoint is ${endpoint}, from agb:endpoint.`);
  });

  test("a path where AGB knows no such call fails the check, and the error names it", async () => {
    const agb = await startTestEmulator();
    const [failure] = await openProvider(`${agb.url}/api`).check();
    expect(failure?.reason).toContain("code InvalidAction.NotFound");
    expect(failure?.reason).toContain(`The endpoint is ${agb.url}/api, from agb:endpoint.`);
  });

  test("for an endpoint of this machine where nothing listens, the error says that the emulator may not be running", async () => {
    const [failure] = await openProvider(`http://${await deadAddress()}`).check();
    expect(failure?.reason).toContain(
      "start it in a folder that has the npm package: `npx pulumi-agb emulator --port ",
    );
  });

  test("an endpoint that accepts calls and answers none fails the check when the limit of a call is over", async () => {
    const silent = await startScriptedServer(() => {});
    const { check, configure } = openProvider(silent.url);
    configure({ "agb:apiKey": testKey, "agb:endpoint": silent.url, "agb:timeoutMs": "200" });
    const [failure] = await check();
    expect(failure?.reason).toContain("within 200 ms");
    expect(failure?.reason).toContain(`The endpoint is ${silent.url}, from agb:endpoint.`);
  });

  test.each([
    [429, "Throttling"],
    [500, "InternalError"],
    [503, "ServiceUnavailable"],
  ])("AGB's own refusal with HTTP %i and %s does not concern the settings and passes", async (status, code) => {
    const agb = await startScriptedServer((_, response) => sendRefusal(response, code, "no", status));
    expect(await openProvider(agb.url).check()).toEqual([]);
  });
});
