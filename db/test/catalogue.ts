import postgres from "postgres";

const schemas = "select oid from pg_namespace where nspname in ('public', 'auth', 'drizzle')";
const role = (oid: string) =>
  `case when ${oid} = 0 then 'PUBLIC' when ${oid} in (current_user::regrole, 'pg_database_owner'::regrole) then 'the owner' else pg_get_userbyid(${oid}) end`;
const rights = (acl: string) =>
  `(select string_agg(r, ' ' order by r) from (select ${role("grantee")} || '=' || string_agg(privilege_type || case when is_grantable then '*' else '' end, ',' order by privilege_type) as r from aclexplode(${acl}) group by grantee) g)`;

/** What a database is made of, beside its rows; owners by their part, since their names differ. */
const questions = {
  schemas: `select nspname, ${role("nspowner")} as owner, ${rights("coalesce(nspacl, acldefault('n', nspowner))")} as rights
    from pg_namespace where oid in (${schemas}) order by 1`,
  tables: `select n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity, ${role("c.relowner")} as owner,
    ${rights("coalesce(relacl, acldefault('r', relowner))")} as rights
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.oid in (${schemas}) order by 1, 2`,
  columns: `select c.oid::regclass::text as place, attname, format_type(atttypid, atttypmod) as type, attnotnull,
    attcollation::regcollation::text as collation, pg_get_expr(d.adbin, d.adrelid) as fallback, ${rights("attacl")} as rights
    from pg_attribute a join pg_class c on c.oid = attrelid left join pg_attrdef d on d.adrelid = attrelid and d.adnum = attnum
    where attnum > 0 and not attisdropped and relkind = 'r' and relnamespace in (${schemas}) order by 1, 2`,
  constraints: `select conrelid::regclass::text as place, conname, pg_get_constraintdef(oid) as definition
    from pg_constraint where connamespace in (${schemas}) and contype <> 'n' order by 1, 2`,
  indexes: "select indexname, indexdef from pg_indexes where schemaname in ('public', 'auth', 'drizzle') order by 1",
  policies: `select tablename, policyname, permissive, cmd, qual, with_check, (select array_agg(r order by r) from unnest(roles) r) as roles
    from pg_policies order by 1, 2`,
  functions: `select pg_get_functiondef(p.oid) as definition, ${role("proowner")} as owner,
    ${rights("coalesce(proacl, acldefault('f', proowner))")} as rights
    from pg_proc p where pronamespace in (${schemas}) order by 1`,
  sequences:
    "select sequencename, last_value from pg_sequences where schemaname in ('public', 'auth', 'drizzle') order by 1",
  memberships: `select g.rolname, ${role("a.member")} as member, bool_or(set_option) as may_set, bool_or(inherit_option) as inherits
    from pg_auth_members a join pg_roles g on g.oid = roleid
    where g.rolname in ('authenticated', 'support', 'admin', 'anonymous', 'service', 'auth_resolver')
      and (set_option or inherit_option) group by 1, 2 order by 1, 2`,
};

/**
 * Everything that the database at `url` is made of, comparable between servers. In Postgres' own words, and not in those
 * of the commands: a backup must not lose what `db:check` would overlook.
 */
export async function readDefinitions(url: string): Promise<Record<string, unknown[]>> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const found: Record<string, unknown[]> = {};
    for (const [name, question] of Object.entries(questions)) found[name] = [...(await client.unsafe(question))];
    return found;
  } finally {
    await client.end({ timeout: 5 });
  }
}
