import type { Sql, TransactionSql } from "postgres";
import { Refusal } from "../cli.ts";
import { ourSchemas } from "./schema-dump.ts";

type Client = Sql | TransactionSql;

/** A table as COPY takes it. */
export interface TableInfo {
  /** Schema and name, as people write it: `public.user`. */
  name: string;
  /** The same as SQL, quoted where it must be. */
  sql: string;
  /** Its columns as SQL, generated ones left out. */
  columns: string;
}

interface TableRow extends TableInfo {
  oid: number;
}

/**
 * Our tables, those that others refer to first; `only` some, as `user` or `drizzle.__drizzle_migrations`.
 * @throws Refusal for a name that is no table.
 */
export async function listTables(client: Client, only: string[] = []): Promise<TableInfo[]> {
  const rows = await client<TableRow[]>`
    select c.oid::int8::float8 as oid, n.nspname || '.' || c.relname as name, format('%I.%I', n.nspname, c.relname) as sql,
      (select string_agg(format('%I', a.attname), ', ' order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname = any(${[...ourSchemas]})
    order by n.nspname, c.relname`;
  const references = await client<{ source: number; target: number }[]>`
    select conrelid::int8::float8 as source, confrelid::int8::float8 as target from pg_constraint where contype = 'f'`;
  const wanted = only.map((name) => (name.includes(".") ? name : `public.${name}`));
  const unknown = wanted.find((name) => !rows.some((row) => row.name === name));
  if (unknown) throw new Refusal(`There is no table ${unknown}.`);
  const targets = (oid: number) => references.flatMap(({ source, target }) => (source === oid ? [target] : []));
  const tables = inOrder(rows, targets).map(({ name, sql, columns }) => ({ name, sql, columns }));
  return wanted.length > 0 ? tables.filter(({ name }) => wanted.includes(name)) : tables;
}

/** Each row after those it refers to; in a circle, some order. */
function inOrder(rows: TableRow[], targets: (oid: number) => number[]): TableRow[] {
  const byOid = new Map(rows.map((row) => [row.oid, row]));
  const ordered = new Set<TableRow>();
  const seen = new Set<number>();
  const visit = (oid: number): void => {
    const row = byOid.get(oid);
    if (!row || seen.has(oid)) return;
    seen.add(oid);
    for (const target of targets(oid)) visit(target);
    ordered.add(row);
  };
  for (const { oid } of rows) visit(oid);
  return [...ordered];
}

/** Statements that set sequences to where they are: those of these tables, and with `loose` those of no table. */
export async function sequenceStatements(client: Client, tables: TableInfo[], loose: boolean): Promise<string[]> {
  const names = tables.map(({ name }) => name);
  const rows = await client<{ statement: string }[]>`
    select format('SELECT pg_catalog.setval(%L, %s, true);', format('%I.%I', s.schemaname, s.sequencename), s.last_value) as statement
    from pg_sequences s
    join pg_class c on c.oid = format('%I.%I', s.schemaname, s.sequencename)::regclass
    left join pg_depend d on d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    left join pg_class t on t.oid = d.refobjid
    where s.last_value is not null and s.schemaname = any(${[...ourSchemas]})
      and (t.relnamespace::regnamespace || '.' || t.relname = any(${names}) or (t.oid is null and ${loose}))
    order by 1`;
  return rows.map(({ statement }) => statement);
}

/** Whether one of our schemas holds anything yet. */
export async function isEmpty(client: Client): Promise<boolean> {
  const [row] = await client`
    select not exists (select from pg_class c where c.relnamespace = any(ours)) and
      not exists (select from pg_proc p where p.pronamespace = any(ours)) as empty
    from (select coalesce(array_agg(oid), '{}') as ours from pg_namespace where nspname = any(${[...ourSchemas]})) s`;
  return row?.empty === true;
}
