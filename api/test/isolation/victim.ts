import { ownerSql } from "../owner.ts";
import type { Place } from "./declare.ts";

const typeId = /\b[a-z]+(?:_[a-z]+)*_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g;

/** Every TypeID in a value, functions aside. */
export function idsIn(value: unknown): string[] {
  const found = new Set<string>();
  const look = (part: unknown) => {
    if (typeof part === "string") for (const id of part.match(typeId) ?? []) found.add(id);
    else if (typeof part === "object" && part !== null) for (const inner of Object.values(part)) look(inner);
  };
  look(value);
  return [...found];
}

export const prefixOf = (id: string) => id.slice(0, id.lastIndexOf("_"));

let tables: string[] | undefined;

/** All rows of all tables that speak of the place, by table: to be compared before and after. */
export async function rowsOf(place: Place): Promise<Record<string, unknown>> {
  tables ??= (
    await ownerSql("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'")
  ).rows.map(({ relname }) => String(relname));
  // Whatever is a tenant's names its organization or one of its people.
  const marks = idsIn(place)
    .filter((id) => ["org", "user"].includes(prefixOf(id)))
    .map((id) => `%${id}%`);
  const parts = tables.map(
    (table) => `select '${table}' as "table", array_agg(line order by line) as lines
      from (select to_jsonb(t)::text as line from "${table}" t) as rows where line like any($1) having count(*) > 0`,
  );
  const { rows } = await ownerSql(parts.join(" union all "), [marks]);
  return Object.fromEntries(rows.map(({ table, lines }) => [table, lines]));
}
