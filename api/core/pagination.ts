import * as z from "zod";

/** Input of every list: at most 100 items, from after `cursor`, which an earlier page gave. */
export const pageInput = z.object({
  limit: z.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
});

export interface Page<Item> {
  items: Item[];
  /** Where the next page starts; null on the last one. */
  nextCursor: string | null;
}

/** Cuts a page out of `limit + 1` rows; `cursorOf` names the key by which the list is ordered. */
export function toPage<Item>(rows: Item[], limit: number, cursorOf: (item: Item) => string): Page<Item> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? cursorOf(last) : null };
}
