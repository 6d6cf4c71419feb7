import { join } from "node:path";
import { ManualClock } from "../../provider/emulator";
import {
  ask,
  create,
  createId,
  keepAlive,
  labelsOf,
  listAll,
  release,
  setLabels,
  status,
} from "../support/emulator-requests";
import { useStateFolder } from "../support/state-folder";

const state = useStateFolder();

describe("the id of an emulator", () => {
  const idIn = async (url: string, key?: string) =>
    (
      await ask(url, "POST", "/mcp/getSession", { body: { sessionId: "none" }, ...(key !== undefined && { key }) })
    ).headers.get("x-agb-emulator-id");

  test("is in every reply, also in failures, and the same after a restart, a reset and a kill at any moment", async () => {
    const first = await state.start();
    const id = await idIn(first.url);
    expect(id).toMatch(/^[a-z0-9]{12}$/);
    // Even if it is killed before the first request, the file already has the id.
    expect(await idIn((await state.startOnCopy()).url)).toBe(id);
    first.setApiKeys(["other"]);
    expect(await idIn(first.url)).toBe(id);
    first.addFault({ operation: "*", answer: { status: 503 } });
    expect(await idIn(first.url, "other")).toBe(id);
    await first.reset();
    await first.close();

    expect(await idIn((await state.start()).url)).toBe(id);
  });

  test("differs for another state file, and there is none without a state file", async () => {
    const first = await state.start();
    const second = await state.start({ statePath: join(state.folder, "other.json") });
    expect(await idIn(second.url)).not.toBe(await idIn(first.url));

    expect(await idIn((await state.start({ statePath: undefined } as never)).url)).toBeNull();
  });
});

test("a restart keeps sessions, labels and order", async () => {
  const clock = new ManualClock();
  const first = await state.start({ clock });
  const ids: string[] = [];
  for (const team of ["a", "b", "__proto__"]) {
    ids.push(await createId(first.url, JSON.parse(`{"team":"${team}","__proto__":"own","ü":"🙂"}`)));
  }
  const before = first.sessions();
  await first.close();

  const second = await state.start({ clock });

  expect(second.sessions()).toEqual(before);
  expect(await listAll(second.url)).toEqual(ids.reverse());
  expect(Object.entries(await labelsOf(second.url, ids[0] as string))).toEqual([
    ["team", "__proto__"],
    ["__proto__", "own"],
    ["ü", "🙂"],
  ]);
  const newest = await createId(second.url);
  expect((await listAll(second.url))[0]).toBe(newest);
});

test("every acknowledged change is on disk", async () => {
  const clock = new ManualClock();
  const first = await state.start({ clock });
  const url = first.url;

  const kept = await createId(url, { team: "a" });
  expect((await state.startOnCopy({ clock })).sessions()).toEqual(first.sessions());
  await setLabels(url, kept, { team: "b" });
  expect((await state.startOnCopy({ clock })).sessions()).toEqual(first.sessions());
  clock.advance(1_000);
  await keepAlive(url, kept);
  expect((await state.startOnCopy({ clock })).sessions()).toEqual(first.sessions());
  await first.setLabels(kept, { team: "c" });
  expect((await state.startOnCopy({ clock })).sessions()).toEqual(first.sessions());
  await release(url, kept);
  expect((await state.startOnCopy({ clock })).sessions()).toMatchObject([{ sessionId: kept, state: "DELETING" }]);
  await first.reset();
  expect((await state.startOnCopy({ clock })).sessions()).toEqual([]);
});

test("many changes at the same time are all on disk when they are acknowledged", async () => {
  const first = await state.start();

  await Promise.all(Array.from({ length: 200 }, () => create(first.url)));

  expect(await listAll((await state.startOnCopy()).url, { maxResults: "100" })).toEqual(
    await listAll(first.url, { maxResults: "100" }),
  );
});

test("a session that is being released still is after a restart, and then is gone for good", async () => {
  const clock = new ManualClock();
  const first = await state.start({ clock });
  const sessionId = await createId(first.url);
  await release(first.url, sessionId);
  await first.close();

  const second = await state.start({ clock });
  expect(await status(second.url, sessionId)).toBe("DELETING");
  clock.advance(200);
  expect(await status(second.url, sessionId)).toBe("InvalidMcpSession.NotFound");
  await second.close();

  expect((await state.start({ clock })).sessions()).toEqual([]);
});

test("idle time continues while the emulator is not running", async () => {
  const clock = new ManualClock();
  const first = await state.start({ clock });
  const short = await createId(first.url, {}, { timeout: 60 });
  const long = await createId(first.url, {}, { timeout: 600 });
  await first.close();

  clock.advance(120_000);
  const second = await state.start({ clock, defaultIdleTimeoutSeconds: 1, maximumLifetimeSeconds: 1 });

  expect(await status(second.url, short)).toBe("InvalidMcpSession.NotFound");
  expect(await listAll(second.url)).toEqual([long]);
});

test("a released session does not come back when the clock is set back", async () => {
  let nowMs = 1_000_000;
  const first = await state.start({ clock: { now: () => nowMs } });
  const idle = await createId(first.url, {}, { timeout: 60 });
  const gone = await createId(first.url, {}, { timeout: 30 });
  nowMs += 60_000;
  expect(await status(first.url, idle)).toBe("DELETING");
  expect(await status(first.url, gone)).toBe("InvalidMcpSession.NotFound");
  nowMs -= 60_000;

  expect(await listAll(first.url)).toEqual([]);
  expect(await status(first.url, gone)).toBe("InvalidMcpSession.NotFound");
});
