import * as pulumi from "@pulumi/pulumi";
import { AgbProvider, AgbSession } from "../../provider";
import { refuseReleased } from "../../provider/resources/session-links";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { createId } from "../support/emulator-requests";
import { outputValue, type ProgramOptions, runProgram } from "../support/pulumi-program";
import { setVariable } from "../support/set-variable";

beforeEach(() => {
  for (const name of ["log", "warn", "error"] as const) {
    jest.spyOn(console, name).mockImplementation();
  }
});

afterEach(() => jest.restoreAllMocks());

async function openAccount() {
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"] });
  setVariable("AGB_API_KEY", testKey);
  setVariable("AGB_ENDPOINT", emulator.url);
  return { emulator, sessionId: await createId(emulator.url) };
}

/** Runs a program with a session that has this id. */
async function runWithSession<Result>(
  sessionId: string,
  use: (session: AgbSession) => Result,
  options: ProgramOptions & { readonly provider?: () => AgbProvider } = {},
) {
  const { provider, ...rest } = options;
  return runProgram(
    () => {
      const opts = provider === undefined ? {} : { provider: provider() };
      return use(new AgbSession("web", { imageId: "agb-code-space-1" }, opts));
    },
    { asksAgb: true, ids: { web: sessionId }, ...rest },
  );
}

test("AGB is not asked for a link that the program does not use, and the state of the session holds none", async () => {
  const { emulator, sessionId } = await openAccount();
  const before = emulator.requests().length;
  const { registration } = await runWithSession(sessionId, () => undefined);
  expect(emulator.requests()).toHaveLength(before);
  expect(JSON.stringify(Object.keys(registration("web").inputs))).not.toMatch(/url|link/i);
});

test("an address and links are secret, and the address is the same wherever the program uses it", async () => {
  const { emulator, sessionId } = await openAccount();
  const { result } = await runWithSession(sessionId, (web) => [
    web.resourceUrl,
    web.resourceUrl,
    web.link(30_100),
    web.link(pulumi.output(30_101), "wss"),
  ]);
  const [url = "", again, link = "", socket = ""] = await Promise.all(result.map((output) => outputValue(output)));
  expect(again).toBe(url);
  expect(emulator.requestCounts()).toMatchObject({ getMcpResource: 1, getLink: 2 });
  expect([link, socket].map((address) => new URL(address).protocol)).toEqual(["https:", "wss:"]);
  for (const output of result) {
    expect(await (output as unknown as { isSecret: Promise<boolean> }).isSecret).toBe(true);
  }
});

test("they are unknown in a preview of a create", async () => {
  const { emulator } = await openAccount();
  const before = emulator.requests().length;
  const { result } = await runWithSession("", (web) => [web.resourceUrl, web.link(30_100)], { preview: true });
  for (const output of result) {
    const { isKnown, isSecret } = output as unknown as Record<"isKnown" | "isSecret", Promise<boolean>>;
    expect([await isKnown, await isSecret]).toEqual([false, true]);
  }
  expect(emulator.requests()).toHaveLength(before);
});

test("a preview of a session that exists asks AGB, although it does not know whether that is released", async () => {
  const { emulator, sessionId } = await openAccount();
  const { result } = await runWithSession(sessionId, (web) => web.link(30_100), { preview: true });
  expect(await outputValue(result)).toMatch(/^https:/);
  expect(emulator.requestCounts()).toMatchObject({ getLink: 1 });
});

test("they use the session's own provider", async () => {
  const { emulator } = await openAccount();
  const europe = await startTestEmulator({ apiKeys: ["europe-key", "test-key"] });
  const sessionId = await createId(europe.url);
  const before = emulator.requests().length;
  const provider = () => new AgbProvider("europe", { apiKey: pulumi.secret("europe-key"), endpoint: europe.url });
  const { result } = await runWithSession(sessionId, (web) => web.link(30_100), { provider });
  expect(await outputValue(result)).toMatch(/^https:/);
  expect(europe.requestCounts()).toMatchObject({ getLink: 1 });
  expect(emulator.requests()).toHaveLength(before);
});

test("a program can ask for a link only while a session that is kept is not released", async () => {
  const { emulator, sessionId } = await openAccount();
  const before = emulator.requests().length;
  const { result } = await runWithSession(
    sessionId,
    (web) => web.released.apply((released) => (released ? "none" : web.link(30_100))),
    { state: { released: true } },
  );
  expect(await outputValue(result)).toBe("none");
  expect(emulator.requests()).toHaveLength(before);
});

test("a released session that is kept has no address and no link", () => {
  expect(() => refuseReleased("web", true)).toThrow(
    'AgbSession "web": AGB has released the session, so it has no address and no link. The option onRelease: "keep" keeps it in ' +
      "the state. Ask for a link only while the output `released` is false. [AGB964]",
  );
  expect(() => refuseReleased("web", false)).not.toThrow();
});

test("a session that was only looked up has them too", async () => {
  const { sessionId } = await openAccount();
  const { result } = await runProgram(() => AgbSession.get("web", sessionId).link(30_100), { asksAgb: true });
  expect(await outputValue(result)).toContain(":");
});
