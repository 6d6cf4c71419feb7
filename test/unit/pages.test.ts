import * as fc from "fast-check";
import { itemsOfPages, type Page } from "../../provider/api/pages";

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) {
    collected.push(item);
  }
  return collected;
}

test("every item comes once and in order, however the pages are split, empty ones among them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer()), { minLength: 1 }),
      fc.constantFrom("", undefined),
      (pages, end) => {
        const fetchPage = async (token: string | undefined): Promise<Page<number>> => {
          const index = token === undefined ? 0 : Number(token);
          return {
            items: pages[index] ?? [],
            nextToken: index + 1 < pages.length ? String(index + 1) : end,
          };
        };
        return expect(collect(itemsOfPages(fetchPage))).resolves.toEqual(pages.flat());
      },
    ),
  );
});

test("a page is fetched only when the one before it is used up", async () => {
  const asked: (string | undefined)[] = [];
  const items = itemsOfPages(async (token) => {
    asked.push(token);
    return { items: ["a", "b"], nextToken: `after ${asked.length}` };
  });
  await items.next();
  await items.next();
  expect(asked).toEqual([undefined]);
  await items.next();
  expect(asked).toEqual([undefined, "after 1"]);
});

test.each([
  ["the same token again", ["one", "one"]],
  ["an older token", ["one", "two", "one"]],
])("a list that hands out %s ends with an error instead of never", async (_, tokens) => {
  const fetchPage = async () => ({ items: [], nextToken: tokens.shift() ?? "one" });
  await expect(collect(itemsOfPages(fetchPage))).rejects.toThrow("the same nextToken twice");
});

test("an error on a later page ends the list with that error", async () => {
  const fetchPage = async (token: string | undefined) => {
    if (token !== undefined) {
      throw new Error("page two is broken");
    }
    return { items: [1], nextToken: "two" };
  };
  await expect(collect(itemsOfPages(fetchPage))).rejects.toThrow("page two is broken");
});
