import type { Emulator } from "../../provider/emulator";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { captureErrorStream, said } from "../support/said";
import { declare, openStack, type State, sorted } from "../support/session-stack";

withoutRetryDelay();
captureErrorStream();

const minuteMs = 60_000;
const kept = (more: Record<string, unknown> = {}) => declare({ team: "web" }, { keepAlive: true, ...more });

/** The session is idle for so long that two such times exceed AGB's idle time of five minutes. */
const idleMs = 4 * minuteMs;

/** Makes the emulator refuse each restart of an idle time. */
function refuse(emulator: Emulator, status: number, code: string): void {
  const body = { success: false, code, message: "no", httpStatusCode: status, requestId: "R-1" };
  emulator.addFault({ operation: "refreshSessionIdleTime", answer: { status, body } });
}

test("each refresh restarts the idle time, and changes no byte of the state", async () => {
  const { clock, emulator, stack } = await openStack();
  const state = await stack.create(kept());
  for (let round = 0; round < 3; round++) {
    clock.advance(idleMs);
    expect(sorted(await stack.refresh(state))).toBe(sorted(state));
  }
  expect(emulator.requestCounts().refreshSessionIdleTime).toBe(3);
  clock.advance(5 * minuteMs);
  expect(await stack.refresh(state)).toBeUndefined();
});

test("an update without a refresh restarts it too", async () => {
  const { clock, emulator, stack } = await openStack();
  const state = await stack.create(kept());
  for (let round = 0; round < 3; round++) {
    clock.advance(idleMs);
    expect(await stack.diff(state, kept())).toEqual({ changes: false });
  }
  expect(emulator.sessions()).toHaveLength(1);
});

test("without keepAlive AGB is not asked, and the session is released when it is idle", async () => {
  const { clock, emulator, stack } = await openStack();
  const state = await stack.create();
  clock.advance(idleMs);
  await stack.refresh(state);
  await stack.diff(state);
  clock.advance(idleMs);
  expect(await stack.refresh(state)).toBeUndefined();
  expect(emulator.requestCounts().refreshSessionIdleTime).toBeUndefined();
});

test("a create needs none, and a refresh and the diff after it restart the idle time once", async () => {
  const { emulator, stack } = await openStack();
  const state = await stack.create(kept());
  expect(emulator.requestCounts().refreshSessionIdleTime).toBeUndefined();
  await stack.refresh(state);
  await stack.diff(state, kept());
  expect(emulator.requestCounts().refreshSessionIdleTime).toBe(1);
});

test("a session that is adopted begins a new idle time", async () => {
  const { clock, emulator, stack } = await openStack();
  const { id } = await stack.create();
  clock.advance(idleMs);
  await stack.create(kept({ adopt: { sessionId: id } }));
  clock.advance(idleMs);
  expect(emulator.sessions()).toHaveLength(1);
});

test("it does not lengthen AGB's longest life", async () => {
  const { clock, stack } = await openStack();
  let state: State | undefined = await stack.create(kept());
  for (let minutes = 0; minutes < 28; minutes += 4) {
    state = await stack.refresh(state as State);
    clock.advance(idleMs);
  }
  expect(state).toBeDefined();
  clock.advance(2 * minuteMs);
  expect(await stack.refresh(state as State)).toBeUndefined();
});

test("a change of keepAlive is stored in the state only, and counts from then on", async () => {
  const { emulator, stack } = await openStack();
  const state = await stack.create();
  expect(await stack.diff(state, kept())).toEqual({ replaces: [] });
  const updated = await stack.update(state, kept());
  expect(updated.outputs["keepAlive"]).toBe(true);
  expect(emulator.requestCounts()).toMatchObject({ refreshSessionIdleTime: 1 });
  expect(emulator.requestCounts().SetLabel).toBeUndefined();
});

test("a session that is gone is no failure of a diff, and the refresh finds it gone", async () => {
  const { emulator, stack } = await openStack();
  const state = await stack.create(kept());
  await emulator.release(state.id);
  expect(await stack.diff(state, kept())).toEqual({ changes: false });
  expect(said()).toBe("");
  expect(await stack.refresh(state)).toBeUndefined();
});

test("a session that ends between the read and the restart is gone", async () => {
  const { emulator, stack } = await openStack();
  const state = await stack.create(kept());
  refuse(emulator, 400, "InvalidMcpSession.NotFound");
  expect(await stack.refresh(state)).toBeUndefined();
});

test("a failed restart is a warning, and the refresh succeeds", async () => {
  const { emulator, stack } = await openStack();
  const state = await stack.create(kept());
  refuse(emulator, 500, "Busy");
  expect(sorted(await stack.refresh(state))).toBe(sorted(state));
  expect(said()).toMatch(
    /the idle time of session "web" \(session-.*\) was not restarted: .*The next refresh.* \[AGB419\]/s,
  );
  expect(await stack.diff(state, kept())).toEqual({ changes: false });
  expect(said().match(/AGB419/g)).toHaveLength(1);
});

test("a refused key for this call alone is a warning, not an absence and not another key", async () => {
  const { emulator, stack } = await openStack();
  const state = await stack.create(kept());
  refuse(emulator, 400, "NOT_LOGIN");
  expect(sorted(await stack.refresh(state))).toBe(sorted(state));
  expect(said()).toContain("[AGB419]");
});

test("a released session that is kept is not asked about", async () => {
  const { emulator, stack } = await openStack();
  const news = kept({ onRelease: "keep" });
  const state = await stack.create(news);
  await emulator.release(state.id);
  const released = (await stack.refresh(state)) as State;
  const before = emulator.requests().length;
  await stack.refresh(released);
  await stack.provider.diff(released.id, released.outputs, released.inputs);
  expect(emulator.requests()).toHaveLength(before);
});

test("a session that is only looked up is not kept alive", async () => {
  const { emulator, stack } = await openStack();
  const { id } = await stack.create(kept());
  await stack.provider.read(id, { __provider: "x" });
  expect(emulator.requestCounts().refreshSessionIdleTime).toBeUndefined();
});
