import { getTableConfig, type PgColumn } from "drizzle-orm/pg-core";
import { attempt, bounded } from "./check.ts";
import type { TableIsolation } from "./declare.ts";
import { columnName, insertOf, keyOf, literal, named, quoted, type Row, tableName, whereOf } from "./rows.ts";
import type { Sql } from "./sql.ts";
import { isMember } from "./world.ts";

/** Whether two rows belong to one tenant, or the second to nobody. */
function together([one, row]: [TableIsolation, Row], [other, target]: [TableIsolation, Row]): boolean {
  const of = ({ declaration: { owner } }: TableIsolation, values: Row, kind: "organization" | "user") =>
    owner?.[kind] === undefined ? undefined : values[owner[kind]];
  const [org, user] = [of(one, row, "organization"), of(one, row, "user")];
  const [targetOrg, targetUser] = [of(other, target, "organization"), of(other, target, "user")];
  if (targetOrg !== undefined) return targetOrg === org || (org === undefined && isMember(user, targetOrg));
  if (targetUser !== undefined) return targetUser === user || (user === undefined && isMember(targetUser, org));
  return true;
}

/**
 * Points every foreign key of every row at other tenants' rows, whole and but for its owner's column, by INSERT and by
 * UPDATE, as whoever is held to a tenant; what the database accepts.
 */
export async function strayReferences(
  sql: Sql,
  isolations: TableIsolation[],
): Promise<{ tried: number; found: string[] }> {
  let tried = 0;
  const found: string[] = [];
  for (const one of isolations) {
    for (const { row, stray, keys, target, isOwn } of strays(one, isolations)) {
      const { table } = one;
      const takeOut = `delete from ${quoted(tableName(table))} where ${whereOf(table, row)}`;
      const mayNot = (verb: "insert" | "update") =>
        bounded(one, verb).filter((actor) => !(isOwn && one.scope(actor.role, verb)?.(stray, actor)));
      for (const actor of mayNot("insert")) {
        tried += 1;
        const outcome = await attempt(sql, actor, [insertOf(table, stray), takeOut]);
        if (typeof outcome !== "string") found.push(`${actor.name} inserts ${named(table, row)} pointing at ${target}`);
      }
      const set = keys
        .map((key) => `${quoted(columnName(table, key))} = ${literal(table, key, stray[key])}`)
        .join(", ");
      for (const actor of mayNot("update")) {
        tried += 1;
        const outcome = await attempt(sql, actor, [
          `update ${quoted(tableName(table))} set ${set} where ${whereOf(table, row)}`,
        ]);
        if (typeof outcome !== "string" && outcome.count > 0)
          found.push(`${actor.name} updates ${named(table, row)} to point at ${target}`);
      }
    }
  }
  return { tried, found };
}

interface Stray {
  row: Row;
  stray: Row;
  /** The columns that were changed. */
  keys: string[];
  target: string;
  /** Whether the row has moved to the tenant that it now points at. */
  isOwn: boolean;
}

function strays(one: TableIsolation, isolations: TableIsolation[]): Stray[] {
  const { table, declaration } = one;
  return getTableConfig(table).foreignKeys.flatMap((foreignKey) => {
    const { columns, foreignColumns, foreignTable } = foreignKey.reference();
    const other = isolations.find((candidate) => candidate.table === foreignTable);
    if (!other) throw new Error(`${tableName(foreignTable)} is not declared`);
    const pairs = columns.map((column, index) => ({
      key: keyOf(table, column as PgColumn),
      from: keyOf(foreignTable, foreignColumns[index] as PgColumn),
    }));
    if (pairs.some(({ key }) => declaration.pointsFreely?.[key])) return [];
    const ours = Object.values(declaration.owner ?? {});
    const choices = [pairs, pairs.filter(({ key }) => !ours.includes(key))].filter(({ length }) => length > 0);
    return declaration.rows.flatMap((row) =>
      other.declaration.rows.flatMap((target) =>
        choices.flatMap((choice) => {
          const stray = { ...row, ...Object.fromEntries(choice.map(({ key, from }) => [key, target[from]])) };
          const changed = choice.map(({ key }) => key).filter((key) => stray[key] !== row[key]);
          if (changed.length === 0 || together([one, row], [other, target])) return [];
          const isOwn = together([one, stray], [other, target]);
          return [{ row, stray, keys: changed, target: named(foreignTable, target), isOwn }];
        }),
      ),
    );
  });
}
