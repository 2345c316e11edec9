import type postgres from "postgres";
import { type Catalogue, compareCatalogues, type Difference, describeDifference, readCatalogue } from "./catalogue.ts";
import { expectedOf } from "./expected.ts";
import type { Finding } from "./findings.ts";
import { contradictions, type History, pendingOf, readHistory } from "./history.ts";
import { type Migration, readMigrations } from "./migrations.ts";
import { withOwner } from "./migrator.ts";

/**
 * Compares the database at `url` with the migrations that it has: catalogue, roles and history. Looks, and changes
 * nothing.
 */
export async function databaseFindings(url: string, folder?: string): Promise<Finding[]> {
  const migrations = readMigrations(folder);
  return withOwner(url, async (sql) => {
    const history = await readHistory(sql);
    const found = await readCatalogue((text, parameters) =>
      sql.unsafe(text, parameters as postgres.ParameterOrJSON<never>[]),
    );
    const { catalogue: final } = await expectedOf(migrations);
    const differences = isComparable(migrations, history) ? await differencesOf(found, [migrations, history]) : [];
    return [
      ...historyFindings(migrations, history),
      ...(await ownerFindings(sql)),
      ...(await authUidFindings(sql, found, final)),
      // Roles belong to the whole server: another database of it may be further ahead.
      ...differences.filter(({ name }) => !(isOfRoles(name) && found[name] === final[name])).map(toFinding),
    ];
  });
}

async function differencesOf(found: Catalogue, [migrations, { applied }]: [Migration[], History]) {
  const known = new Set(applied.map(({ when }) => when));
  const { catalogue } = await expectedOf(migrations.filter(({ when }) => known.has(when)));
  return compareCatalogues(found, catalogue).filter(({ name }) => !isAuthUid(name));
}

/** Never migrated, after a push, or with migrations of another branch in it, a database differs from the files anyway. */
function isComparable(migrations: Migration[], { applied, isPushed }: History): boolean {
  return (
    !isPushed &&
    applied.length > 0 &&
    applied.every(({ when }) => migrations.some((migration) => migration.when === when))
  );
}

function historyFindings(migrations: Migration[], history: History): Finding[] {
  const pending = pendingOf(migrations, history);
  return [
    ...(history.isPushed ? ["db:push has changed it beside the migrations: bun db:reset makes it anew"] : []),
    ...(pending.length > 0 ? [`${pending.length} of ${migrations.length} migrations are not applied: db:migrate`] : []),
    ...contradictions(migrations, history),
  ].map((text): Finding => ({ kind: "history", text }));
}

async function ownerFindings(sql: postgres.Sql): Promise<Finding[]> {
  const [owner] = await sql`
    select rolname as name, rolbypassrls or rolsuper as bypasses, rolcreaterole or rolsuper as creates
    from pg_roles where rolname = current_user`;
  const lacks = [owner?.bypasses ? "" : "BYPASSRLS", owner?.creates ? "" : "CREATEROLE"].filter(Boolean);
  if (lacks.length === 0) return [];
  const why = "under forced row-level security its backfills and dumps would touch no row, in silence";
  return [{ kind: "roles", text: `the owner ${owner?.name} lacks ${lacks.join(" and ")}: ${why}` }];
}

function isOfRoles(name: string): boolean {
  return /^(role|member) /.test(name);
}

function isAuthUid(name: string): boolean {
  return name.startsWith("function auth.uid(");
}

async function authUidFindings(sql: postgres.Sql, found: Catalogue, expected: Catalogue): Promise<Finding[]> {
  const rows = await sql`
    select pg_get_userbyid(p.proowner) as owner, e.extname as extension, format_type(p.prorettype, null) as returns,
      format('function auth.uid(%s)', pg_get_function_identity_arguments(p.oid)) as name
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace and n.nspname = 'auth'
    left join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    left join pg_extension e on e.oid = d.refobjid
    where p.proname = 'uid'`;
  const foreign = rows.filter(({ name, extension }) => extension || found[String(name)] !== expected[String(name)]);
  return foreign.map(({ owner, extension, returns }): Finding => {
    const origin = extension ? `the extension ${extension}` : `the role ${owner}`;
    return {
      kind: "authUid",
      text: `auth.uid() is not this project's: it belongs to ${origin} and returns ${returns}`,
    };
  });
}

function toFinding(difference: Difference): Finding {
  const kind = isOfRoles(difference.name) ? "roles" : "catalogue";
  return { kind, text: describeDifference(difference) };
}
