import { getTableColumns, is } from "drizzle-orm";
import { PgCustomColumn, type PgTable } from "drizzle-orm/pg-core";
import { z } from "zod";

/**
 * Refinements for drizzle-zod that make a table's id columns strings when parsed: of a custom type such as `idText`
 * it knows the TypeScript type alone. Their inferred types stay as they are.
 */
export function ids(table: PgTable): Record<never, never> {
  const columns = Object.entries(getTableColumns(table)).filter(([, column]) => is(column, PgCustomColumn));
  return Object.fromEntries(columns.map(([name]) => [name, () => z.string().max(90)]));
}
