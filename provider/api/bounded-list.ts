import { z } from "zod";

/** A page has a hundred items. Each item that does not fit its schema costs an entry in the list of problems. */
const mostItems = 10_000;

/**
 * A list in a reply; `null` or absent means an empty one.
 *
 * @param item shape of an item
 * @param tooMany what to say of a list that is too long
 */
export function boundedList<Item extends z.ZodType>(item: Item, tooMany: string) {
  return z
    .custom<unknown>((value) => !Array.isArray(value) || value.length <= mostItems, tooMany)
    .pipe(z.array(item).nullish())
    .transform((items) => items ?? []);
}
