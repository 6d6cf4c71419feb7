/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; `undefined` or empty on the last one. */
  readonly nextToken?: string | undefined;
}

/**
 * Yields the items of all pages, each page fetched when the one before it is used up.
 *
 * @param fetchPage fetches the page that a token names, the first one without a token
 * @throws Error when AGB hands out a token again, which would never end
 */
export async function* itemsOfPages<Item>(
  fetchPage: (nextToken: string | undefined) => Promise<Page<Item>>,
): AsyncGenerator<Item, void, undefined> {
  const seen = new Set<string>();
  let token: string | undefined;
  do {
    const page = await fetchPage(token);
    yield* page.items;
    token = page.nextToken || undefined;
    if (token !== undefined && seen.has(token)) {
      throw new Error("AGB returned the same nextToken twice; the list would never end");
    }
    seen.add(token ?? "");
  } while (token !== undefined);
}
