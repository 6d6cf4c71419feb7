import { AgbClient } from "../../provider/api/client";
import { keepAlive } from "../../provider/cli/sessions/keep-alive";
import { ManualClock } from "../../provider/emulator";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createId } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { openEmulator } from "../support/sweep-command";
import { openTerminal } from "../support/terminal-command";

withoutRetryDelay();
jest.setTimeout(120_000);

let said: string[];

beforeEach(() => {
  said = [];
  jest.spyOn(console, "log").mockImplementation((line) => void said.push(`${line}`));
  jest.spyOn(process.stderr, "write").mockImplementation((text) => said.push(`${text}`.trimEnd()) > 0);
});

afterEach(() => {
  jest.restoreAllMocks();
});

/** An emulator and a clock of the command that moves the emulator's clock too. */
async function open() {
  const emulator = await startTestEmulator({ clock: new ManualClock(), defaultIdleTimeoutSeconds: 300 });
  const client = closeAfterTest(
    new AgbClient({ baseUrl: emulator.url, proxy: undefined, timeoutMs: 5_000, apiKey: testKey }),
  );
  class JointClock extends FakeClock {
    override async sleep(milliseconds: number): Promise<void> {
      await super.sleep(milliseconds);
      await emulator.advanceClock(milliseconds);
    }
  }
  const agb = { client, hideKey: <Value>(value: Value) => value };
  const make = () => createId(emulator.url, {}, {}, testKey);
  return { emulator, agb, make, clock: new JointClock() };
}

test("a session outlives its idle time by far, for exactly as long as was asked", async () => {
  const { emulator, agb, make, clock } = await open();
  const id = await make();
  const result = await keepAlive(agb, [id], { everyMs: 120_000, forMs: 20 * 60_000 }, clock);
  expect(result).toEqual({ gone: 0, failed: 0 });
  expect(clock.elapsedMs()).toBe(20 * 60_000);
  expect(emulator.sessions()).toHaveLength(1);
  expect(emulator.requestCounts()["refreshSessionIdleTime"]).toBe(10);
  expect(said).toEqual([`kept alive: ${id}`]);
});

test("it ends when its session reached its longest lifetime", async () => {
  const { agb, make, clock } = await open();
  const id = await make();
  expect(await keepAlive(agb, [id], { everyMs: 60_000 }, clock)).toEqual({ gone: 1, failed: 0 });
  expect(clock.elapsedMs()).toBe(30 * 60_000);
  expect(said.at(-1)).toMatch(new RegExp(`^failed: ${id}: it is gone: .* \\[AGB636\\]$`));
});

test("when one of several sessions is gone, the others are kept alive", async () => {
  const { emulator, agb, make, clock } = await open();
  const [gone, kept] = [await make(), await make()];
  await emulator.release(gone);
  expect(await keepAlive(agb, [gone, kept], { everyMs: 60_000, forMs: 600_000 }, clock)).toEqual({
    gone: 1,
    failed: 0,
  });
  expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([kept]);
});

test("a beat that fails is not the end: the next one tries again", async () => {
  const { emulator, agb, make, clock } = await open();
  const id = await make();
  const failing = [2, 3, 4, 5, 6];
  emulator.addFault({ operation: "refreshSessionIdleTime", calls: failing, answer: { status: 503 } });
  expect(await keepAlive(agb, [id], { everyMs: 60_000, forMs: 240_000 }, clock)).toEqual({ gone: 0, failed: 0 });
  expect(said).toEqual([
    `kept alive: ${id}`,
    expect.stringMatching(
      new RegExp(`^warning: Could not keep ${id} alive: AGB refused .* The next beat tries again\\. \\[AGB307\\]$`),
    ),
    `note: ${id} is kept alive again.`,
  ]);
});

test("a first beat that no repetition would repair is an error, and later ones are tried again", async () => {
  const { emulator, agb, make, clock } = await open();
  const id = await make();
  const refusal = { operation: "refreshSessionIdleTime", answer: { status: 400 } } as const;
  emulator.addFault({ ...refusal, calls: 1 });
  await expect(keepAlive(agb, [id], { everyMs: 60_000 }, clock)).rejects.toThrow("AGB refused refreshSessionIdleTime");
  emulator.addFault({ ...refusal, calls: 2 });
  expect(await keepAlive(agb, [id], { everyMs: 60_000, forMs: 180_000 }, clock)).toEqual({ gone: 0, failed: 0 });
});

describe("the command", () => {
  beforeEach(() => {
    jest.restoreAllMocks();
  });

  test("without --every it calls once, and a session that is gone has an exit code of its own", async () => {
    const { emulator, make } = await openEmulator();
    const [kept, gone] = [await make({ a: "1" }), await make({ a: "1" })];
    const { run } = await openTerminal(emulator.url);
    expect(await run("sessions", "keep-alive", "--label", "a=1")).toMatchObject({ exitCode: 0, stderr: "" });
    await emulator.release(gone);
    const { exitCode, stdout, stderr } = await run("sessions", "keep-alive", kept, gone);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: `kept alive: ${kept}\n` });
    expect(stderr).toContain(`failed: ${gone}: it is gone`);
    const none = await run("sessions", "keep-alive", "--label", "a=2");
    expect(none).toEqual({ exitCode: 1, stdout: "", stderr: "note: No session matches --label a=2.\n" });
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s is its ordinary end", async (signal) => {
    const { emulator, make } = await openEmulator();
    const id = await make({});
    const { start } = await openTerminal(emulator.url);
    const running = start("sessions", "keep-alive", id, "--every", "1h");
    while (!running.printed().includes("kept alive: ")) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    running.send(signal);
    expect(await running.result).toEqual({ exitCode: 0, stdout: `kept alive: ${id}\n`, stderr: "" });
  });
});
