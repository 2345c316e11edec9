import { expect } from "vitest";
import { connectionOf } from "../core/database/doors.ts";
import { ownerSql, withOwner } from "./owner.ts";

/** Every index of the tables, primary keys aside. */
export async function indexesOf(...tables: string[]): Promise<string[]> {
  const { rows } = await ownerSql(
    "select indexname from pg_indexes where schemaname = 'public' and tablename = any($1) and indexname !~ '_pkey$' order by 1",
    [tables],
  );
  return rows.map(({ indexname }) => indexname);
}

/**
 * Expects the plan of the query to use the index, once reading the whole table is out of the question. `fill` puts rows
 * in, for this plan alone: without any, all indexes cost the same.
 */
export async function expectIndex(query: string, index: string, fill = ""): Promise<void> {
  const plan = await withOwner(async (db) => {
    const { query: send } = connectionOf(db);
    await send("begin; set local enable_seqscan = off; set local enable_bitmapscan = off");
    if (fill) await send(`${fill}; analyze`);
    const { rows } = await send(`explain ${query}`);
    await send("rollback");
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  });
  expect(plan).toContain(index);
}
