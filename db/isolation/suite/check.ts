import { getTableColumns } from "drizzle-orm";
import type { RuntimeRole } from "../../schema/index.ts";
import { all, type Scope, type TableIsolation, type Verb, verbs } from "./declare.ts";
import {
  columnName,
  identity,
  insertOf,
  keysOf,
  literal,
  named,
  quoted,
  type Row,
  type Stored,
  tableName,
  whereOf,
} from "./rows.ts";
import type { Answer, Sql } from "./sql.ts";
import { type Actor, actors } from "./world.ts";

const denied = "42501";

/** Runs `statement` as the actor and takes it back; the SQLSTATE when it fails. `before` runs as the owner. */
export async function attempt(
  sql: Sql,
  actor: Actor,
  [statement, before = ""]: [string, string?],
): Promise<Answer | string> {
  const { role, sub, org, key } = actor;
  const claims = JSON.stringify({ sub, org, key });
  const speak = `select set_config('role', '${role}', true), set_config('request.jwt.claims', '${claims}', true)`;
  try {
    await sql.run(`savepoint attempt; ${before ? `${before}; ` : ""}${speak}`);
    return await sql.ask(statement);
  } catch (error) {
    if (error instanceof Error && "code" in error) return String(error.code);
    throw error;
  } finally {
    await sql.run("rollback to savepoint attempt; release savepoint attempt");
  }
}

/** The columns of the verb's grant, by the schema's keys. */
function grantedColumns({ access, table }: TableIsolation, role: RuntimeRole, verb: "select" | "insert" | "update") {
  const granted = access.grants[role]?.[verb];
  return granted === "all" ? keysOf(table) : (granted ?? []);
}

interface Setting {
  sql: Sql;
  stored: Stored;
}

/** What one actor can do to one table that it should not, or the other way; empty when all is as declared. */
export async function findingsOf(setting: Setting, one: TableIsolation, actor: Actor): Promise<string[]> {
  const findings: string[] = [];
  for (const verb of verbs) {
    const scope = one.scope(actor.role, verb);
    const check = scope ? checks[verb] : isDenied;
    for (const finding of await check(setting, { one, actor, verb, scope: scope ?? (() => false) }))
      findings.push(`${actor.name}, ${verb}: ${finding}`);
  }
  return findings;
}

interface Question {
  one: TableIsolation;
  actor: Actor;
  verb: Verb;
  scope: Scope<Row>;
}
type Check = (setting: Setting, question: Question) => Promise<string[]>;

const isDenied: Check = async ({ sql }, { one: { table }, actor, verb }) => {
  const name = quoted(tableName(table));
  const column = quoted(columnName(table, keysOf(table)[0] ?? ""));
  const statements: Record<Verb, string> = {
    select: `select ${column} from ${name}`,
    insert: `insert into ${name} (${column}) values (default)`,
    update: `update ${name} set ${column} = default`,
    delete: `delete from ${name}`,
  };
  const outcome = await attempt(sql, actor, [statements[verb]]);
  return outcome === denied ? [] : [`${tableName(table)}: ${shown(outcome)} without a grant`];
};

const checkSelect: Check = async ({ sql, stored }, { one, actor, scope }) => {
  const { table, declaration } = one;
  const columns = grantedColumns(one, actor.role, "select").map((key) => columnName(table, key));
  const list = columns.map(quoted).join(", ");
  const name = quoted(tableName(table));
  const outcome = await attempt(sql, actor, [`select to_jsonb(seen) as seen from (select ${list} from ${name}) seen`]);
  if (typeof outcome === "string") return [`${tableName(table)}: ${outcome}`];
  const part = (row: object) => JSON.stringify(columns.map((column) => Reflect.get(row, column)));
  const seen = outcome.rows.map((row) => part(row.seen as object)).sort();
  const due = declaration.rows.filter((row) => scope(row, actor)).map((row) => part(stored.get(row) ?? {}));
  if (JSON.stringify(seen) === JSON.stringify(due.sort())) return [];
  return [`${tableName(table)}: sees ${seen.length} rows where ${due.length} are due`];
};

/** An assignment that fits every row and reads none. */
function blindUpdate(one: TableIsolation, role: RuntimeRole): string {
  const { table } = one;
  const keys = grantedColumns(one, role, "update");
  if (keys.includes("updatedAt")) return `${quoted(columnName(table, "updatedAt"))} = now()`;
  const columns = getTableColumns(table);
  const free = keys.find((key) => !columns[key]?.notNull || columns[key].default !== undefined);
  if (free) return `${quoted(columnName(table, free))} = default`;
  const [row = {}] = one.declaration.rows;
  const last = keys.findLast((key) => row[key] !== undefined) ?? "";
  return `${quoted(columnName(table, last))} = ${literal(table, last, row[last])}`;
}

/** Update and delete: row by row, which asks for reading too, and blindly. */
const checkReach: Check = async ({ sql }, { one, actor, verb, scope }) => {
  const { table, declaration } = one;
  const name = quoted(tableName(table));
  const statement = verb === "delete" ? `delete from ${name}` : `update ${name} set ${blindUpdate(one, actor.role)}`;
  const findings: string[] = [];
  const expect = async (text: string, due: number, what: string) => {
    const outcome = await attempt(sql, actor, [text]);
    if (typeof outcome === "string" || outcome.count !== due)
      findings.push(`${what}: ${shown(outcome)} where ${due} rows are due`);
  };
  await expect(statement, declaration.rows.filter((row) => scope(row, actor)).length, `${tableName(table)}, blindly`);
  const sees = one.scope(actor.role, "select");
  const readable = grantedColumns(one, actor.role, "select");
  for (const row of declaration.rows) {
    if (!sees || !identity(table, row).every((key) => readable.includes(key))) continue;
    const due = scope(row, actor) && sees(row, actor) ? 1 : 0;
    await expect(`${statement} where ${whereOf(table, row)}`, due, named(table, row));
  }
  return findings;
};

/** Each row, taken out by the owner and put back by the actor. */
const checkInsert: Check = async ({ sql }, { one, actor, scope }) => {
  const { table, declaration } = one;
  const granted = grantedColumns(one, actor.role, "insert");
  const findings: string[] = [];
  for (const row of declaration.rows) {
    const takeOut = `delete from ${quoted(tableName(table))} where ${whereOf(table, row)}`;
    const outcome = await attempt(sql, actor, [insertOf(table, row, granted), takeOut]);
    const due = scope(row, actor);
    const done = typeof outcome !== "string" && outcome.count === 1;
    if (due ? !done : outcome !== denied)
      findings.push(`${named(table, row)}: ${shown(outcome)} where it ${due ? "may" : "may not"}`);
  }
  return findings;
};

const checks: Record<Verb, Check> = {
  select: checkSelect,
  insert: checkInsert,
  update: checkReach,
  delete: checkReach,
};

const shown = (outcome: Answer | string) =>
  typeof outcome === "string" ? `SQLSTATE ${outcome}` : `${outcome.count} rows`;

/** Policies that speak to roles without a grant, or to everybody: whoever is granted something later would be let in. */
async function strayPolicies(sql: Sql, { table, access }: TableIsolation): Promise<string[]> {
  const granted = Object.keys(access.grants).map((role) => `'${role}'`);
  const { rows } = await sql.ask(`select policyname, roles::text from pg_policies
    where tablename = '${tableName(table)}' and not roles <@ array[${granted.join(", ")}]::name[]`);
  return rows.map(({ policyname, roles }) => `${policyname} is to ${roles}`);
}

/** Every actor against one table; with `first`, up to the first finding. */
export async function checkTable(setting: Setting, one: TableIsolation, first = false): Promise<string[]> {
  const findings = await strayPolicies(setting.sql, one);
  if (first && findings.length > 0) return findings;
  for (const actor of actors) {
    findings.push(...(await findingsOf(setting, one, actor)));
    if (first && findings.length > 0) break;
  }
  return findings;
}

/** Actors whose reach has bounds: those who are held to a tenant, and not the system's own. */
export const bounded = (one: TableIsolation, verb: Verb) =>
  actors.filter(({ role }) => {
    const scope = one.scope(role, verb);
    return scope !== null && scope !== all;
  });
