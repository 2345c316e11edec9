import { getTableConfig } from "drizzle-orm/pg-core";
import { checkTable } from "./check.ts";
import type { TableIsolation } from "./declare.ts";
import { columnName, keyOf, quoted, type Stored, tableName } from "./rows.ts";
import type { Sql } from "./sql.ts";

/** A policy, broken in one way. */
export interface Mutant {
  table: string;
  /** `policy: what was broken`. */
  name: string;
  sql: string;
}

interface Policy {
  table: string;
  policy: string;
  command: "ALL" | "SELECT" | "INSERT" | "UPDATE" | "DELETE";
  roles: string[];
  using: string | null;
  check: string | null;
}

const policiesSql = `select tablename as "table", policyname as policy, cmd as command, to_json(roles) as roles,
  qual as using, with_check as check from pg_policies where schemaname = 'public' order by 1, 2`;

/** Every policy of the database, broken in every way. */
export async function mutants(sql: Sql, isolations: TableIsolation[]): Promise<Mutant[]> {
  const policies = (await sql.ask(policiesSql)).rows as unknown as Policy[];
  return policies.flatMap((policy) => {
    const one = isolations.find(({ table }) => tableName(table) === policy.table);
    return one ? mutantsOf(policy, one) : [];
  });
}

function mutantsOf(policy: Policy, one: TableIsolation): Mutant[] {
  const { table, command, roles, using, check } = policy;
  const alter = `alter policy ${quoted(policy.policy)} on ${quoted(table)}`;
  const mutant = (what: string, sql: string): Mutant => ({ table, name: `${policy.policy}: ${what}`, sql });
  const writes = command !== "SELECT" && command !== "DELETE";
  const other = roles.includes("anonymous") ? "authenticated" : "anonymous";
  return [
    mutant("dropped", `drop policy ${quoted(policy.policy)} on ${quoted(table)}`),
    mutant(`to ${other}`, `${alter} to ${other}`),
    mutant("to everybody", `${alter} to public`),
    ...(using && using !== "true" ? [mutant("using (true)", `${alter} using (true)`)] : []),
    ...(writes && (check ?? using) !== "true" ? [mutant("with check (true)", `${alter} with check (true)`)] : []),
    ...wrongly(using, one).map(([what, text]) => mutant(`using, ${what}`, `${alter} using (${text})`)),
    ...wrongly(check, one).map(([what, text]) => mutant(`with check, ${what}`, `${alter} with check (${text})`)),
  ];
}

const claims = ["uid", "org", "key"];

/** The expression with another claim, or another column of the same type, in the place of one. */
function wrongly(expression: string | null, one: TableIsolation): [string, string][] {
  if (!expression) return [];
  const { name, columns } = getTableConfig(one.table);
  const result: [string, string][] = [];
  const add = (what: string, text: string) => void (text !== expression && result.push([what, text]));
  for (const claim of claims) {
    for (const wrong of claims.filter((candidate) => candidate !== claim))
      add(`auth.${wrong} for auth.${claim}`, expression.replaceAll(`auth.${claim}()`, `auth.${wrong}()`));
  }
  const spelled = columns.map((column) => ({
    type: column.getSQLType(),
    column: columnName(one.table, keyOf(one.table, column)),
  }));
  for (const { type, column } of spelled) {
    const pattern = new RegExp(`(?<![\\w.])(?:"?${name}"?\\.)?"?${column}"?(?![\\w(])`, "g");
    if (!pattern.test(expression)) continue;
    const wrong = spelled.find((candidate) => candidate.column !== column && candidate.type === type)?.column;
    if (wrong) add(`${wrong} for ${column}`, expression.replace(pattern, `"${name}"."${wrong}"`));
    else if (type === "boolean") add(`not ${column}`, expression.replace(pattern, `(not "${name}"."${column}")`));
  }
  return result;
}

export type Verdict = "caught" | "survived" | "invalid";

/** Breaks the policy, asks the suite about its table, and takes it back. `invalid`: Postgres does not take the change. */
export async function judge(
  setting: { sql: Sql; stored: Stored },
  { table, sql: change }: Mutant,
  isolations: TableIsolation[],
): Promise<Verdict> {
  const { sql } = setting;
  const one = isolations.find((candidate) => tableName(candidate.table) === table);
  if (!one) throw new Error(`${table} is not declared`);
  await sql.run("savepoint mutant");
  try {
    try {
      await sql.run(change);
    } catch {
      return "invalid";
    }
    return (await checkTable(setting, one, true)).length > 0 ? "caught" : "survived";
  } finally {
    await sql.run("rollback to savepoint mutant; release savepoint mutant");
  }
}

export interface Score {
  caught: number;
  invalid: string[];
  /** Nobody reaches more or less through them; why. */
  equivalent: Map<string, string>;
  survived: string[];
  /** Declared equivalent, and caught or gone. */
  wronglyExcused: string[];
}

/** Breaks every policy in every way. `onJudged` hears of each. */
export async function scoreOf(
  setting: { sql: Sql; stored: Stored },
  isolations: TableIsolation[],
  onJudged: (mutant: Mutant, verdict: Verdict) => void = () => {},
): Promise<Score> {
  for (const one of isolations) {
    // What fails unbroken would notice anything.
    const [finding] = await checkTable(setting, one, true);
    if (finding !== undefined) throw new Error(`not as declared before anything is broken: ${finding}`);
  }
  const excuses = new Map(isolations.flatMap(({ declaration }) => Object.entries(declaration.equivalent ?? {})));
  const score: Score = { caught: 0, invalid: [], equivalent: new Map(), survived: [], wronglyExcused: [] };
  const unused = new Set(excuses.keys());
  for (const mutant of await mutants(setting.sql, isolations)) {
    const verdict = await judge(setting, mutant, isolations);
    onJudged(mutant, verdict);
    const reason = excuses.get(mutant.name);
    if (verdict === "survived") unused.delete(mutant.name);
    if (verdict === "caught") score.caught += 1;
    else if (verdict === "invalid") score.invalid.push(mutant.name);
    else if (reason === undefined) score.survived.push(mutant.name);
    else score.equivalent.set(mutant.name, reason);
  }
  score.wronglyExcused = [...unused];
  return score;
}
