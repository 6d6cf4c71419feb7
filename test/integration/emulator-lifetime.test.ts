import { type Emulator, ManualClock, startEmulator } from "../../provider/emulator";
import {
  createId,
  getInfo,
  getLabels,
  getSession,
  keepAlive,
  list,
  listAll,
  notFound,
  setLabels,
  status,
} from "../support/emulator-requests";

const clock = new ManualClock();
const gone = "InvalidMcpSession.NotFound";
let emulator: Emulator;
let url: string;

beforeAll(async () => {
  emulator = await startEmulator({ clock });
  url = emulator.url;
});
beforeEach(() => emulator.reset());
afterAll(() => emulator.close());

function advanceSeconds(seconds: number): void {
  clock.advance(seconds * 1000);
}

test("a session is released after five idle minutes, and reports DELETING before it is gone", async () => {
  const sessionId = await createId(url);

  clock.advance(300_000 - 1);
  expect(await status(url, sessionId)).toBe("RUNNING");
  clock.advance(1);
  expect(await status(url, sessionId)).toBe("DELETING");
  expect((await getInfo(url, sessionId)).body).toMatchObject(notFound);
  clock.advance(200);
  expect(await status(url, sessionId)).toBe(gone);
});

test("the create's timeout replaces the five minutes", async () => {
  const short = await createId(url, {}, { timeout: 60 });
  const long = await createId(url, {}, { timeout: 600 });

  advanceSeconds(61);
  expect(await listAll(url)).toEqual([long]);
  expect(await status(url, short)).toBe(gone);
  advanceSeconds(540);
  expect(await listAll(url)).toEqual([]);
});

test("keep-alive resets the idle timer", async () => {
  const kept = await createId(url, {}, { timeout: 60 });
  const idle = await createId(url, {}, { timeout: 60 });

  for (let minute = 0; minute < 5; minute += 1) {
    advanceSeconds(50);
    expect((await keepAlive(url, kept)).body.success).toBe(true);
  }

  expect(await listAll(url)).toEqual([kept]);
  expect((await keepAlive(url, idle)).body).toMatchObject(notFound);
});

test("reading a session does not keep it alive", async () => {
  const sessionId = await createId(url, { a: "b" }, { timeout: 60 });

  for (let second = 0; second < 59; second += 20) {
    await status(url, sessionId);
    await getInfo(url, sessionId);
    await getSession(url, sessionId);
    await getLabels(url, sessionId);
    await setLabels(url, sessionId, { a: String(second) });
    await list(url);
    advanceSeconds(20);
  }

  expect((await getSession(url, sessionId)).body).toMatchObject(notFound);
});

test("a session ends after thirty minutes, however active it is", async () => {
  const sessionId = await createId(url, {}, { timeout: 3600 });

  for (let minute = 0; minute < 29; minute += 1) {
    advanceSeconds(60);
    await keepAlive(url, sessionId);
  }
  expect(await status(url, sessionId)).toBe("RUNNING");
  advanceSeconds(60);
  expect((await keepAlive(url, sessionId)).body).toMatchObject(notFound);
});

test("the policy for long durations lifts the thirty minutes, an unknown policy does not", async () => {
  const long = await createId(url, {}, { timeout: 36_000, mcpPolicyId: "longDuration-policy" });
  const other = await createId(url, {}, { timeout: 36_000, mcpPolicyId: "constructor" });

  advanceSeconds(1801);

  expect(await status(url, long)).toBe("RUNNING");
  expect(await status(url, other)).toBe(gone);
});

test("options set policies, default timeout and maximum lifetime", async () => {
  const chosen = await startEmulator({
    clock,
    defaultIdleTimeoutSeconds: 10,
    maximumLifetimeSeconds: 100,
    releaseDelayMs: 0,
    policies: { patient: { idleTimeoutSeconds: 50 } },
  });
  try {
    const plain = await createId(chosen.url);
    const patient = await createId(chosen.url, {}, { mcpPolicyId: "patient" });
    const active = await createId(chosen.url, {}, { timeout: 500 });

    advanceSeconds(10);
    expect(await status(chosen.url, plain)).toBe(gone);
    expect(await status(chosen.url, patient)).toBe("RUNNING");
    advanceSeconds(40);
    expect(await status(chosen.url, patient)).toBe(gone);
    expect(await status(chosen.url, active)).toBe("RUNNING");
    advanceSeconds(50);
    expect(await status(chosen.url, active)).toBe(gone);
  } finally {
    await chosen.close();
  }
});
