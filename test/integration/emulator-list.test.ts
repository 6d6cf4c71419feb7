import fc from "fast-check";
import { type Emulator, ManualClock, startEmulator } from "../../provider/emulator";
import { create, createId, idsOn, list, listAll, release } from "../support/emulator-requests";

const clock = new ManualClock();
let emulator: Emulator;
let url: string;

beforeAll(async () => {
  emulator = await startEmulator({ clock, pageCap: 50 });
  url = emulator.url;
});
beforeEach(() => emulator.reset());
afterAll(() => emulator.close());

async function createMany(count: number, labels: Record<string, string> = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    ids.push(await createId(url, labels));
  }
  return ids;
}

test("nothing to list", async () => {
  const answer = await list(url);

  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    success: true,
    code: "ok",
    httpStatusCode: 200,
    requestId: expect.any(String),
    data: [],
    nextToken: "",
    maxResults: 10,
    count: 0,
  });
});

test("25 sessions are listed newest first on pages of ten, each with the count of all", async () => {
  const ids = await createMany(25);

  const first = await list(url);
  const second = await list(url, { nextToken: first.body.nextToken });
  const third = await list(url, { nextToken: second.body.nextToken });

  expect(first.body.data[0]).toEqual({ sessionId: ids.at(-1), sessionStatus: "RUNNING" });
  expect([first, second, third].map((page) => page.body.data.length)).toEqual([10, 10, 5]);
  expect([first, second, third].map((page) => page.body.count)).toEqual([25, 25, 25]);
  expect([first, second, third].flatMap(idsOn)).toEqual(ids.reverse());
  expect(third.body.nextToken).toBe("");
});

test("a last page that is full has no token", async () => {
  await createMany(20);

  const second = await list(url, { nextToken: (await list(url)).body.nextToken });

  expect(second.body.data).toHaveLength(10);
  expect(second.body.nextToken).toBe("");
});

test("any page size covers every session once, also while others come and go", async () => {
  const ids = await createMany(12);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 15 }),
      fc.integer({ min: 0, max: 3 }),
      async (pageSize, disturbAfter) => {
        const seen: string[] = [];
        let nextToken = "";
        let pages = 0;
        do {
          const page = await list(url, { maxResults: String(pageSize), ...(nextToken && { nextToken }) });
          seen.push(...idsOn(page));
          nextToken = page.body.nextToken;
          if (pages === disturbAfter) {
            await emulator.release(await createId(url));
            await createId(url, {}, { timeout: 1 });
          }
          pages += 1;
        } while (nextToken);
        clock.advance(2_000);
        await create(url, { timeout: 1 });
        clock.advance(2_000);

        expect(seen).toEqual([...ids].reverse());
      },
    ),
    { numRuns: 30 },
  );
});

test("maxResults is capped, and the reply has the size that was used", async () => {
  await createMany(51);

  const answer = await list(url, { maxResults: "1000" });

  expect(answer.body.data).toHaveLength(50);
  expect(answer.body.maxResults).toBe(50);
  expect(answer.body.count).toBe(51);
});

describe("label filter", () => {
  test("matches every pair exactly", async () => {
    const both = await createId(url, { team: "a", stage: "dev" });
    const one = await createId(url, { team: "a" });
    await createId(url, { team: "A" });

    expect(await listAll(url, { labels: '{"team": "a"}' })).toEqual([one, both]);
    expect(await listAll(url, { labels: '{"team":"a","stage":"dev"}' })).toEqual([both]);
    expect(await listAll(url, { labels: '{"team":"a","stage":"prod"}' })).toEqual([]);
    expect(await listAll(url, { labels: '{"toString":"a"}' })).toEqual([]);
  });

  test("counts and pages only what matches", async () => {
    const matching = await createMany(5, { team: "a" });
    await createMany(5, { team: "b" });

    const first = await list(url, { labels: '{"team":"a"}', maxResults: "3" });

    expect(first.body.count).toBe(5);
    expect(await listAll(url, { labels: '{"team":"a"}', maxResults: "3" })).toEqual(matching.reverse());
  });

  test.each([{}, { labels: "{}" }, { labels: "" }, { labels: "{}", isAll: "false" }])(
    "%j lists everything",
    async (query) => {
      const ids = await createMany(2);

      expect(await listAll(url, query as Record<string, string>)).toEqual(ids.reverse());
    },
  );

  test("finds a new session only after the index delay, while the plain list shows it immediately", async () => {
    const delayed = await startEmulator({ clock, labelIndexDelayMs: 5_000 });
    try {
      const sessionId = await createId(delayed.url, { team: "a" });

      expect(await listAll(delayed.url, { labels: '{"team":"a"}' })).toEqual([]);
      expect(await listAll(delayed.url)).toEqual([sessionId]);
      clock.advance(5_000);
      expect(await listAll(delayed.url, { labels: '{"team":"a"}' })).toEqual([sessionId]);
    } finally {
      await delayed.close();
    }
  });
});

test("released sessions are not listed", async () => {
  const [first, second] = await createMany(2);

  await release(url, second as string);

  expect(await listAll(url)).toEqual([first]);
  expect((await list(url)).body.count).toBe(1);
});

test.each([
  ["maxResults", "0"],
  ["maxResults", "-1"],
  ["maxResults", "ten"],
  ["maxResults", "1.5"],
  ["maxResults", ""],
  ["nextToken", "nonsense"],
  ["nextToken", "YmVmb3JlIA"],
  ["nextToken", "%00"],
  ["labels", "team=a"],
  ["labels", "[]"],
  ["labels", '{"team":{}}'],
])("%s=%s is refused by name", async (field, value) => {
  const answer = await list(url, { [field]: value });

  expect(answer.status).toBe(400);
  expect(answer.body.success).toBe(false);
  expect(answer.body.message).toContain(`${field}: `);
});
