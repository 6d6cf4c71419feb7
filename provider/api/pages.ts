import { AgbEndlessListError } from "./errors";

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Token of the next page; `undefined` or empty on the last page. */
  readonly nextToken?: string | undefined;
}

/**
 * How many pages a list may have. That is enough for 100,000 sessions with 100 to a page, and for 10,000 if AGB returns
 * only 10, the number that its SDKs ask for.
 */
export const maximumPages = 1_000;

/**
 * How many pages in a row may have no new item. AGB is not known to send empty pages before the last one, but a service
 * that filters after cutting pages does: an account with 10,000 sessions may then have 100 empty pages between two
 * matches. Pages may also repeat items, because sessions move between pages while others end.
 */
export const maximumBarrenPages = 100;

/** Limit of the time that AGB takes for all pages of one list, in milliseconds. The caller's own time does not count. */
export const listTimeoutMs = 300_000;

/** A list and how its pages are fetched. */
export interface PagedList<Item> {
  /** AGB's name of the call, for messages. */
  readonly operation: string;
  /**
   * Fetches the page of a token, or the first page without one.
   *
   * @param leftMs how long this may take, in milliseconds
   */
  readonly fetchPage: (nextToken: string | undefined, leftMs: number) => Promise<Page<Item>>;
  /** Returns what identifies an item. */
  readonly keyOf: (item: Item) => string;
}

/**
 * Yields the items of all pages, each item once. Fetches a page only when the previous one is used up.
 *
 * @param now returns the current time in milliseconds; tests replace it
 * @throws AgbEndlessListError when the list does not end: AGB returns a token again, or the list exceeds
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
        ? `the last ${barrenPages} pages had no new items`
        : pages >= maximumPages
          ? "no account is that large"
          : leftMs <= 0
            ? `they took ${Math.round((listTimeoutMs - leftMs) / 1_000)} s`
            : undefined;
    if (excess !== undefined) {
      throw new AgbEndlessListError(operation, pages, excess);
    }
    tokens.add(token);
  }
}
