import { getTableColumns } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import { getTableConfig, type PgColumn, type PgTable } from "drizzle-orm/pg-core";
import type { TableIsolation } from "./declare.ts";
import type { Sql } from "./sql.ts";

export type Row = Record<string, unknown>;

export const tableName = (table: PgTable) => getTableConfig(table).name;
export const quoted = (name: string) => `"${name}"`;

export function columnName(table: PgTable, key: string): string {
  const column = columnOf(table, key);
  return column.keyAsName ? toSnakeCase(key) : column.name;
}

function columnOf(table: PgTable, key: string): PgColumn {
  const column = getTableColumns(table)[key];
  if (!column) throw new Error(`${tableName(table)} has no column ${key}`);
  return column;
}

export const keysOf = (table: PgTable) => Object.keys(getTableColumns(table));

/** The key under which the schema knows a column. */
export function keyOf(table: PgTable, column: PgColumn): string {
  // What a foreign key refers to is another object for the same column.
  const found = Object.entries(getTableColumns(table)).find(([, one]) => one.name === column.name);
  if (!found) throw new Error(`${tableName(table)} has no such column`);
  return found[0];
}

export function literal(table: PgTable, key: string, value: unknown): string {
  if (value === null || value === undefined) return "null";
  const driver = columnOf(table, key).mapToDriverValue(value);
  if (typeof driver === "number" || typeof driver === "boolean") return String(driver);
  const text = driver instanceof Date ? driver.toISOString() : String(driver);
  return `'${text.replaceAll("'", "''")}'`;
}

/** INSERT of the row's columns, or of those that are named. */
export function insertOf(table: PgTable, row: Row, granted: readonly string[] = keysOf(table)): string {
  const keys = granted.filter((key) => row[key] !== undefined);
  const columns = keys.map((key) => quoted(columnName(table, key))).join(", ");
  const values = keys.map((key) => literal(table, key, row[key])).join(", ");
  return `insert into ${quoted(tableName(table))} (${columns}) values (${values})`;
}

/** The columns that tell the table's rows apart; without a primary key, all that a row names. */
export function identity(table: PgTable, row: Row): string[] {
  const { columns, primaryKeys } = getTableConfig(table);
  const primary = primaryKeys[0]?.columns ?? columns.filter((column) => column.primary);
  return primary.length > 0 ? primary.map((column) => keyOf(table, column as PgColumn)) : Object.keys(row);
}

export function whereOf(table: PgTable, row: Row): string {
  const parts = identity(table, row).map(
    (key) => `${quoted(columnName(table, key))} = ${literal(table, key, row[key])}`,
  );
  return parts.join(" and ");
}

/** A row in words. */
export const named = (table: PgTable, row: Row) =>
  `${tableName(table)} ${identity(table, row)
    .map((key) => row[key])
    .join(" ")}`;

/** The tables, each behind those that it refers to. */
export function inOrder(isolations: TableIsolation[]): TableIsolation[] {
  const done: TableIsolation[] = [];
  const visit = (one: TableIsolation) => {
    if (done.includes(one)) return;
    for (const foreignKey of getTableConfig(one.table).foreignKeys) {
      const target = isolations.find(({ table }) => table === foreignKey.reference().foreignTable);
      if (target && target !== one) visit(target);
    }
    done.push(one);
  };
  for (const one of isolations) visit(one);
  return done;
}

/** Every declared row as the database holds it. */
export type Stored = Map<Row, Record<string, unknown>>;

/** Puts every declared row in. */
export async function fill(sql: Sql, isolations: TableIsolation[]): Promise<Stored> {
  const stored: Stored = new Map();
  for (const { table, declaration } of inOrder(isolations)) {
    for (const row of declaration.rows) {
      const insert = `${insertOf(table, row)} returning to_jsonb(${quoted(tableName(table))}) as stored`;
      const { rows } = await sql.ask(insert);
      stored.set(row, rows[0]?.stored as Record<string, unknown>);
    }
  }
  return stored;
}
