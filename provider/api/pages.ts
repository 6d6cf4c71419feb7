import { AgbEndlessListError } from "./errors";

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; `undefined` or empty on the last one. */
  readonly nextToken?: string | undefined;
}

/**
 * How many pages a list may have. With 100 items to a page that is room for 100,000 sessions, and for 10,000 if AGB gives
 * no more than 10 to a page, which is what its SDKs ask for.
 */
export const maximumPages = 1_000;

/**
 * How many pages in a row may bring nothing new. Nobody has seen AGB send an empty page before the last one, but a
 * service that filters a page after it has cut it does so: an account with 10,000 sessions then has up to 100 of them
 * between two matches. Items that come again are no more than that: sessions move between pages while others end.
 */
export const maximumBarrenPages = 100;

/** How long AGB may take for the pages of one list together, in milliseconds; what the caller does meanwhile is not counted. */
export const listTimeoutMs = 300_000;

/** What a list is, and how its pages are fetched. */
export interface PagedList<Item> {
  /** AGB's name of the call, for messages. */
  readonly operation: string;
  /**
   * Fetches the page that a token names, the first one without a token.
   *
   * @param leftMs how long it may take, in milliseconds
   */
  readonly fetchPage: (nextToken: string | undefined, leftMs: number) => Promise<Page<Item>>;
  /** What tells one item from another. */
  readonly keyOf: (item: Item) => string;
}

/**
 * Yields the items of all pages, each page fetched when the one before it is used up. An item that comes again is not
 * yielded again.
 *
 * @param now the present time in milliseconds, so that tests can move it
 * @throws AgbEndlessListError when the list does not end: AGB hands out a token again, or the list goes beyond
 *   `maximumPages`, `maximumBarrenPages` or `listTimeoutMs`
 */
export async function* itemsOfPages<Item>(
  { operation, fetchPage, keyOf }: PagedList<Item>,
  now: () => number = () => performance.now(),
): AsyncGenerator<Item, void, undefined> {
  const tokens = new Set<string>();
  const keys = new Set<string>();
  let leftMs = listTimeoutMs;
  let barrenPages = 0;
  let token: string | undefined;
  for (let pages = 1; ; pages++) {
    const startedMs = now();
    const page = await fetchPage(token, leftMs);
    leftMs -= now() - startedMs;
    const known = keys.size;
    for (const item of page.items) {
      const key = keyOf(item);
      if (!keys.has(key)) {
        keys.add(key);
        yield item;
      }
    }
    token = page.nextToken || undefined;
    if (token === undefined) {
      return;
    }
    barrenPages = keys.size > known ? 0 : barrenPages + 1;
    const excess = tokens.has(token)
      ? "AGB returned the same nextToken twice"
      : barrenPages >= maximumBarrenPages
        ? `the last ${barrenPages} pages brought nothing new`
        : pages >= maximumPages
          ? "no account is known to be that large"
          : leftMs <= 0
            ? `they took ${Math.round((listTimeoutMs - leftMs) / 1_000)} s`
            : undefined;
    if (excess !== undefined) {
      throw new AgbEndlessListError(operation, pages, excess);
    }
    tokens.add(token);
  }
}
