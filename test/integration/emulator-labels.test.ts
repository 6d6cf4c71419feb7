import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type Emulator, startEmulator } from "../../provider/emulator";
import { ask, create, createId, getLabels, labelsOf, listAll, setLabels } from "../support/emulator-requests";

let emulator: Emulator;
let url: string;

beforeAll(async () => {
  emulator = await startEmulator();
  url = emulator.url;
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

// Lone surrogates cannot be sent in UTF-8, so no client can have them as a label.
const text = (maxLength: number) => fc.string({ unit: "grapheme", minLength: 1, maxLength });
const labelSet = fc.dictionary(
  fc.oneof(text(40), fc.constantFrom("__proto__", "constructor", "a+b", "a b", "100%", "x&y=z", "%2B")),
  fc.oneof(text(60), fc.constantFrom("1 + 1", "%20", "&Labels={}", '"quoted"', "\\u0041", "ü\n🙂")),
  { maxKeys: 10 },
);

test("labels of a create are returned as a JSON string inside JSON", async () => {
  const sessionId = await createId(url, { team: "a", stage: "dev" });

  const answer = await getLabels(url, sessionId);

  expect(answer.body.data).toEqual({ labels: '{"team":"a","stage":"dev"}' });
});

test("a session without labels has an empty object", async () => {
  const { body } = await create(url);

  expect((await getLabels(url, body.data.sessionId)).body.data).toEqual({ labels: "{}" });
});

test("set replaces: a label that is not in the new set is gone", async () => {
  const sessionId = await createId(url, { team: "a", version: "1" });

  const answer = await setLabels(url, sessionId, { team: "b" });

  expect(answer.status).toBe(200);
  expect(answer.body.success).toBe(true);
  expect(await labelsOf(url, sessionId)).toEqual({ team: "b" });
});

test("an empty set removes all labels", async () => {
  const sessionId = await createId(url, { team: "a" });

  await setLabels(url, sessionId, {});

  expect(await labelsOf(url, sessionId)).toEqual({});
});

test("set merges if the option says so", async () => {
  const merging = await startEmulator({ setLabel: "merge", labelLimits: { count: 2 } });
  try {
    const sessionId = await createId(merging.url, { team: "a", version: "1" });

    await setLabels(merging.url, sessionId, { team: "b" });
    const tooMany = await setLabels(merging.url, sessionId, { third: "c" });

    expect(await labelsOf(merging.url, sessionId)).toEqual({ team: "b", version: "1" });
    expect(tooMany.status).toBe(400);
  } finally {
    await merging.close();
  }
});

test("a client reads labels that were set behind its back", async () => {
  const sessionId = await createId(url, { team: "a" });

  await emulator.setLabels(sessionId, { team: "drifted" });

  expect(await labelsOf(url, sessionId)).toEqual({ team: "drifted" });
  await expect(emulator.setLabels("session-never", {})).rejects.toThrow("session-never");
});

test("whatever the labels are, create, set, get and the list filter agree on them", async () => {
  await fc.assert(
    fc.asyncProperty(labelSet, labelSet, async (first, second) => {
      const sessionId = await createId(url, first);
      expect(await labelsOf(url, sessionId)).toEqual(first);

      await setLabels(url, sessionId, second);
      expect(await labelsOf(url, sessionId)).toEqual(second);
      expect(Object.entries(emulator.sessions()[0]?.labels ?? {})).toEqual(Object.entries(second));
      expect(await listAll(url, { labels: JSON.stringify(second), maxResults: "100" })).toContain(sessionId);
    }),
    { numRuns: 60 },
  );
});

test.each([
  ["TypeScript", "Labels=%7B%22k%22:%22v+1%22,%22x%22:%22a%2Bb%22%7D", { k: "v 1", x: "a+b" }],
  ["Python", "Labels=%7B%22k%22%3A+%22v+1%22%2C+%22x%22%3A+%22a%2Bb%22%7D", { k: "v 1", x: "a+b" }],
  ["Python, beyond ASCII", "Labels=%7B%22k%22%3A+%22%5Cu00fc%22%7D", { k: "ü" }],
])("a query as the %s SDK writes it is understood", async (_sdk, query, labels) => {
  const sessionId = await createId(url);

  await fetch(`${url}/sdk/SetLabel?sessionId=${sessionId}&${query}`, {
    method: "POST",
    headers: { authorization: "Bearer k", "content-type": "application/json" },
  });

  expect(await labelsOf(url, sessionId)).toEqual(labels);
});

describe("limits", () => {
  const fullSet = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [String(index).padStart(128, "ü"), "ü".repeat(256)]),
  );

  test("20 labels of 128 and 256 characters are allowed, also where they make a long URL", async () => {
    const sessionId = await createId(url, fullSet);

    expect((await setLabels(url, sessionId, fullSet)).body.success).toBe(true);
    expect(await labelsOf(url, sessionId)).toEqual(fullSet);
  });

  test.each([
    ["a 21st label", { ...fullSet, more: "x" }],
    ["a name of 129 characters", { ["k".repeat(129)]: "x" }],
    ["a value of 257 characters", { k: "x".repeat(257) }],
  ])("%s is refused by create and set, and changes nothing", async (_what, labels) => {
    const sessionId = await createId(url, { team: "a" });

    const set = await setLabels(url, sessionId, labels);
    const created = await create(url, { labels: JSON.stringify(labels) });

    expect(set.status).toBe(400);
    expect(set.body.message).toMatch(/^Labels: /);
    expect(created.status).toBe(400);
    expect(created.body.message).toMatch(/^labels: /);
    expect(await labelsOf(url, sessionId)).toEqual({ team: "a" });
    expect(emulator.sessions()).toHaveLength(1);
  });
});

test.each([
  ["missing", {}],
  ["empty", { Labels: "" }],
  ["in lower case", { labels: '{"a":"b"}' }],
  ["not JSON", { Labels: "a=b" }],
  ["a list", { Labels: '["a"]' }],
  ["null", { Labels: "null" }],
  ["of numbers", { Labels: '{"a":1}' }],
  ["of nulls", { Labels: '{"a":null}' }],
])("set refuses Labels that are %s", async (_what, query) => {
  const sessionId = await createId(url, { team: "a" });

  const answer = await ask(url, "POST", "/sdk/SetLabel", { query: { sessionId, ...query } });

  expect(answer.status).toBe(400);
  expect(answer.body.success).toBe(false);
  expect(answer.body.message).toContain("Labels: ");
  expect(await labelsOf(url, sessionId)).toEqual({ team: "a" });
});

test("names with a meaning in JavaScript and numbers with many digits stay unchanged, and a filter finds them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
  const options = { statePath: join(folder, "state.json") };
  const texts = [
    '{"__proto__":"a","constructor":"b"}',
    '{"n":"12345678901234567890.12345678901234567890"}',
    '{"__proto__":"12345678901234567890","toString":"","1":"x","0":"1e999"}',
  ];
  try {
    const first = await startEmulator(options);
    const ids: string[] = [];
    for (const text of texts) {
      const created = await ask(first.url, "POST", "/mcp/createSession", {
        query: { imageId: "agb-code-space-1" },
        body: { labels: text },
      });
      ids.push(created.body.data.sessionId);
    }
    const [edited] = ids as [string];
    await ask(first.url, "POST", "/sdk/SetLabel", { query: { sessionId: edited, Labels: texts[2] as string } });
    await ask(first.url, "POST", "/sdk/SetLabel", { query: { sessionId: edited, Labels: texts[0] as string } });
    await first.close();

    const second = await startEmulator(options);
    for (const [index, sessionId] of ids.entries()) {
      const text = texts[index] as string;
      const found = (await getLabels(second.url, sessionId)).body.data.labels;
      expect(sortedPairs(found)).toEqual(sortedPairs(text));
      expect(await listAll(second.url, { labels: text })).toEqual([sessionId]);
    }
    await second.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a number as a label's value is refused, because it could lose digits, and changes nothing", async () => {
  const sessionId = await createId(url, { n: "1" });

  const answer = await ask(url, "POST", "/sdk/SetLabel", {
    query: { sessionId, Labels: '{"n":12345678901234567890}' },
  });

  expect(answer.body).toMatchObject({ code: "InvalidRequest", message: 'Labels: the value of "n" must be a string' });
  expect(await labelsOf(url, sessionId)).toEqual({ n: "1" });
});

// JSON.parse creates own properties for all names, and Object.entries reads only those.
function sortedPairs(text: string): [string, unknown][] {
  return Object.entries(JSON.parse(text) as object).sort(([left], [right]) => (left < right ? -1 : 1));
}
