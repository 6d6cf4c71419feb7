import * as fc from "fast-check";
import { AgbEndlessListError } from "../../provider/api/errors";
import { itemsOfPages, listTimeoutMs, maximumBarrenPages, maximumPages, type Page } from "../../provider/api/pages";

type FetchPage = (nextToken: string | undefined, leftMs: number) => Promise<Page<number>>;

function list(fetchPage: FetchPage, now?: () => number): AsyncGenerator<number, void, undefined> {
  return itemsOfPages({ operation: "ListSession", fetchPage, keyOf: String }, now);
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) {
    collected.push(item);
  }
  return collected;
}

/** Serves pages; the last one ends the list. */
function serve(pages: readonly (readonly number[])[], end: string | undefined = undefined): FetchPage {
  return async (token) => {
    const index = token === undefined ? 0 : Number(token);
    return { items: pages[index] ?? [], nextToken: index + 1 < pages.length ? String(index + 1) : end };
  };
}

/** Serves endless pages, each with a new token, and counts them. */
function serveForEver(itemsOf: (page: number) => number[]): { fetchPage: FetchPage; pages: () => number } {
  let page = 0;
  return {
    fetchPage: async () => ({ items: itemsOf(++page), nextToken: `token ${page}` }),
    pages: () => page,
  };
}

test("every item is yielded once and in order, however the pages are split, also with empty pages", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ max: 20 })), { minLength: 1 }),
      fc.constantFrom("", undefined),
      (pages, end) => expect(collect(list(serve(pages, end)))).resolves.toEqual([...new Set(pages.flat())]),
    ),
  );
});

test("a page is fetched only when the previous one is used up", async () => {
  const asked: (string | undefined)[] = [];
  const items = list(async (token) => {
    asked.push(token);
    return { items: [2 * asked.length, 2 * asked.length + 1], nextToken: `after ${asked.length}` };
  });
  await items.next();
  await items.next();
  expect(asked).toEqual([undefined]);
  await items.next();
  expect(asked).toEqual([undefined, "after 1"]);
});

test("5,000 items are yielded, in pages of 100 or 10, also with 99 empty pages between two matches", async () => {
  for (const pageSize of [100, 10]) {
    const pages = Array.from({ length: 5_000 / pageSize }, (_, page) =>
      Array.from({ length: pageSize }, (_, item) => page * pageSize + item),
    );
    const between = Array.from({ length: 99 }, () => []);
    pages.splice(7, 0, ...between);
    expect(await collect(list(serve(pages)))).toHaveLength(5_000);
  }
});

describe("a list that never ends fails", () => {
  test.each([
    ["the same token again", ["one", "one"]],
    ["an older token", ["one", "two", "one"]],
  ])("when it returns %s", async (_, tokens) => {
    const fetchPage = async () => ({ items: [], nextToken: tokens.shift() ?? "one" });
    await expect(collect(list(fetchPage))).rejects.toThrow("the same nextToken twice");
  });

  test.each<[string, (page: number) => number[], number]>([
    ["are empty", () => [], maximumBarrenPages],
    ["hold the same items", () => [1, 2, 3], maximumBarrenPages + 1],
    ["hold items of the pages before", (page) => [page % 5], maximumBarrenPages + 5],
  ])("when its pages %s, whatever the tokens are", async (_, itemsOf, expectedPages) => {
    const { fetchPage, pages } = serveForEver(itemsOf);
    const failure = collect(list(fetchPage));
    await expect(failure).rejects.toBeInstanceOf(AgbEndlessListError);
    await expect(failure).rejects.toThrow(
      `the list of ListSession did not end after ${expectedPages} pages: the last 100 pages had no new items. Run `,
    );
    expect(pages()).toBe(expectedPages);
  });

  test("when every page has a new item", async () => {
    const { fetchPage, pages } = serveForEver((page) => [page]);
    await expect(collect(list(fetchPage))).rejects.toThrow(`did not end after ${maximumPages} pages`);
    expect(pages()).toBe(maximumPages);
  });

  test("when its pages together take too long; each gets the time that is left", async () => {
    let nowMs = 0;
    const given: number[] = [];
    const { fetchPage } = serveForEver((page) => [page]);
    const slow: FetchPage = (token, leftMs) => {
      given.push(leftMs);
      nowMs += listTimeoutMs / 4;
      return fetchPage(token, leftMs);
    };
    await expect(collect(list(slow, () => nowMs))).rejects.toThrow("did not end after 4 pages: they took 300 s");
    expect(given).toEqual([300_000, 225_000, 150_000, 75_000]);
  });
});

test("the caller's own time does not count", async () => {
  let nowMs = 0;
  const pages = Array.from({ length: 20 }, (_, page) => [page]);
  for await (const _ of list(serve(pages), () => nowMs)) {
    nowMs += listTimeoutMs;
  }
  expect(nowMs).toBe(20 * listTimeoutMs);
});

test("an error on a later page ends the list with that error", async () => {
  const fetchPage = async (token: string | undefined) => {
    if (token !== undefined) {
      throw new Error("page two is broken");
    }
    return { items: [1], nextToken: "two" };
  };
  await expect(collect(list(fetchPage))).rejects.toThrow("page two is broken");
});
