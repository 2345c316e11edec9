import { runtimeRoles } from "../schema/roles.ts";
import type { Query } from "./catalogue.ts";

const tables = `
  select c.oid, c.relname, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relacl
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`;

const functions = `
  select p.* , format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace and n.nspname in ('public', 'auth')
  where p.prokind in ('f', 'p')
  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')`;

const granted = `
  select t.oid, t.relname, r.oid as role, r.rolname, a.privilege_type as verb
  from (${tables}) t
  cross join lateral (
    select (aclexplode(t.relacl)).* union select (aclexplode(attacl)).* from pg_attribute where attrelid = t.oid
  ) a
  join pg_roles r on r.oid = a.grantee and r.rolname = any($1)
  where a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
  group by 1, 2, 3, 4, 5`;

/**
 * One statement per lint; each answers a line for what it finds. `$1` is the runtime roles. A foreign key is served by
 * an index that begins with as many of its columns as make the row that they refer to unique.
 */
const lints: Record<string, string> = {
  "row-level security": `
    select format('%s: row-level security is not %s', relname, case when relrowsecurity then 'forced' else 'enabled' end) as line
    from (${tables}) t where not (relrowsecurity and relforcerowsecurity)`,
  "policy for each grant": `
    select format('%s: %s may %s, but no policy shows it a row', relname, rolname, verb) as line
    from (${granted}) g
    where not exists (
      select from pg_policy p where p.polrelid = g.oid and (g.role = any(p.polroles) or 0 = any(p.polroles))
      and p.polcmd in ('*', case verb when 'SELECT' then 'r' when 'INSERT' then 'a' when 'UPDATE' then 'w' else 'd' end::"char")
    )`,
  "claims once per statement": `
    select format('%s: the policy %s calls auth.*() for every row: write (select auth.…())', t.relname, p.polname) as line
    from (${tables}) t join pg_policy p on p.polrelid = t.oid
    where regexp_replace(concat(pg_get_expr(polqual, polrelid), ' ', pg_get_expr(polwithcheck, polrelid)),
      'SELECT auth\\.\\w+\\(\\)', '', 'g') ~ 'auth\\.\\w+\\('`,
  "indexed foreign keys": `
    select format('%s: no index serves the foreign key %s', t.relname, k.conname) as line
    from (${tables}) t join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
    where not exists (
      select from pg_index u
      cross join lateral (
        select array_agg(k.conkey[place]) as own from generate_subscripts(k.confkey, 1) place
        where k.confkey[place] = any(u.indkey::int2[])
      ) pair
      join pg_index i on i.indrelid = k.conrelid and i.indisvalid
        and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
        and (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(pair.own)] @> pair.own
      where u.indrelid = k.confrelid and u.indisunique and u.indpred is null and u.indnkeyatts = cardinality(pair.own)
    )`,
  "fixed search_path": `
    select format('%s: its search_path is whoever calls it''s: set search_path = ''''', name) as line
    from (${functions}) f
    where not exists (select from unnest(proconfig) setting where setting like 'search_path=%')`,
  "definer's functions": `
    select format('%s: everybody may run it with its owner''s rights: revoke execute from public', name) as line
    from (${functions}) f
    where prosecdef and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) a where a.grantee = 0)`,
  owners: `
    select format('%s: it belongs to the runtime role %s', relname, rolname) as line
    from (${tables}) t join pg_roles r on r.oid = t.relowner and r.rolname = any($1)`,
  "runtime roles": `
    select format('%s: it bypasses row-level security', rolname) as line
    from pg_roles where rolname = any($1) and (rolsuper or rolbypassrls)`,
  "doubled indexes": `
    select format('%s: the index %s is the unique index %s again', t.relname, i.indexrelid::regclass, u.indexrelid::regclass) as line
    from (${tables}) t join pg_index i on i.indrelid = t.oid and not i.indisunique
    join pg_index u on u.indrelid = t.oid and u.indisunique and u.indkey = i.indkey and u.indclass = i.indclass and u.indpred is null
    where i.indpred is null and i.indexprs is null`,
};

/** What is unsafe or slow in the catalogue of a database, one line each. */
export async function catalogueLints(query: Query): Promise<string[]> {
  const lines: string[] = [];
  for (const statement of Object.values(lints)) {
    // Each takes the roles, whether it speaks of them or not.
    const rows = await query(`with roles as (select $1::name[]) ${statement} order by 1`, [[...runtimeRoles]]);
    lines.push(...rows.map(({ line }) => String(line)));
  }
  return lines;
}
