import { getTableColumns, is } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { TableAccess } from "../schema/access.ts";
import { runtimeRoles } from "../schema/roles.ts";
import type { Query } from "./catalogue.ts";

type Verb = "SELECT" | "INSERT" | "UPDATE" | "DELETE";

/** One right: `role|VERB|table|column`; the column is empty when the right covers the whole table. */
type Right = string;

function columnNames(table: PgTable, columns: "all" | readonly string[]): string[] {
  if (columns === "all") return [""];
  const declared = getTableColumns(table);
  return columns.map((key) => {
    const column = declared[key];
    if (!column) throw new Error(`${getTableConfig(table).name} grants an unknown column: ${key}`);
    return column.keyAsName ? toSnakeCase(key) : column.name;
  });
}

function rightsOf({ table, grants }: TableAccess): Right[] {
  const { name } = getTableConfig(table);
  return Object.entries(grants).flatMap(([role, granted]) => {
    const of = (verb: Verb, columns: "all" | readonly string[] | undefined) =>
      columns ? columnNames(table, columns).map((column) => `${role}|${verb}|${name}|${column}`) : [];
    return [
      ...of("SELECT", granted.select),
      ...of("INSERT", granted.insert),
      ...of("UPDATE", granted.update),
      ...of("DELETE", granted.delete && "all"),
    ];
  });
}

/** What the schema declares: rights, and the tables whose row-level security is to be forced. */
export function declaredAccess(schema: Record<string, unknown>): { rights: Set<Right>; tables: Set<string> } {
  const values = Object.values(schema);
  const accesses = values.filter((value) => value instanceof TableAccess);
  const tables = values
    .filter((value): value is PgTable => is(value, PgTable))
    .map((table) => getTableConfig(table).name);
  const covered = new Set(accesses.map(({ table }) => getTableConfig(table).name));
  const bare = tables.filter((table) => !covered.has(table));
  if (bare.length) throw new Error(`no access() beside the table: ${bare.join(", ")}`);
  return { rights: new Set(accesses.flatMap(rightsOf)), tables: new Set(tables) };
}

const grantedSql = `
  select r.rolname || '|' || a.privilege_type || '|' || c.relname || '|' || coalesce(a.attname, '') as right
  from (
    select oid as relation, null::name as attname, (aclexplode(relacl)).* from pg_class where relacl is not null
    union all
    select attrelid, attname, (aclexplode(attacl)).* from pg_attribute where attacl is not null
  ) a
  join pg_class c on c.oid = a.relation and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
  join pg_roles r on r.oid = a.grantee
  where r.rolname = any($1)
  order by 1`;

const securedSql = `
  select relname, relrowsecurity as enabled, relforcerowsecurity as forced
  from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`;

/** The statements that read the state: who keeps what they answered keeps them with it. */
export const accessSql = grantedSql + securedSql;

/** What a database grants the runtime roles, and the tables whose row-level security is enabled and forced. */
export interface AccessState {
  rights: Right[];
  enabled: string[];
  forced: string[];
}

/** Reads what a database grants. */
export async function readAccess(query: Query): Promise<AccessState> {
  const granted = await query(grantedSql, [[...runtimeRoles]]);
  const tables = await query(securedSql, []);
  const where = (key: string) => tables.filter((row) => row[key]).map((row) => String(row.relname));
  return { rights: granted.map((row) => String(row.right)), enabled: where("enabled"), forced: where("forced") };
}

/** One statement per table and role, e.g. `GRANT SELECT ("id", "name"), DELETE ON "user" TO "admin";`. */
function statements(action: "GRANT" | "REVOKE", rights: Right[]): string[] {
  const verbs = new Map<string, Map<string, string[]>>();
  for (const right of rights) {
    const [role = "", verb = "", table = "", column = ""] = right.split("|");
    const key = `${table} ${role}`;
    const columns = verbs.get(key) ?? new Map<string, string[]>();
    const scope = column ? `${verb}|columns` : verb;
    columns.set(scope, [...(columns.get(scope) ?? []), `"${column}"`]);
    verbs.set(key, columns);
  }
  const inOrder = [...verbs].sort(([one], [other]) => (one < other ? -1 : 1));
  return inOrder.map(([key, columns]) => {
    const [table, role] = key.split(" ");
    const list = [...columns].map(([scope, names]) => scope.replace("|columns", ` (${names.join(", ")})`));
    return `${action} ${list.join(", ")} ON "${table}" ${action === "GRANT" ? "TO" : "FROM"} "${role}";`;
  });
}

/** SQL statements that bring what a database grants to what `schema` declares. */
export function accessChanges(state: AccessState, schema: Record<string, unknown>): string[] {
  const declared = declaredAccess(schema);
  const granted = new Set(state.rights);
  const tables = [...declared.tables].sort();
  const secure = (verb: "ENABLE" | "FORCE", done: string[]) =>
    tables
      .filter((table) => !done.includes(table))
      .map((table) => `ALTER TABLE "${table}" ${verb} ROW LEVEL SECURITY;`);
  return [
    ...secure("ENABLE", state.enabled),
    ...secure("FORCE", state.forced),
    ...statements(
      "REVOKE",
      [...granted].filter((right) => !declared.rights.has(right)),
    ),
    ...statements(
      "GRANT",
      [...declared.rights].filter((right) => !granted.has(right)),
    ),
  ];
}
