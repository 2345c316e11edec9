import type { TransactionSql } from "postgres";

/**
 * Statements that make the roles which the definitions speak of, where they are missing, and their memberships.
 * Without logins and passwords: a role belongs to the server, not to the database.
 */
export async function roleStatements(client: TransactionSql): Promise<string[]> {
  const roles = await client<{ name: string; inherit: boolean }[]>`
    select distinct r.rolname as name, r.rolinherit as inherit
    from pg_shdepend d join pg_roles r on r.oid = d.refobjid
    where d.refclassid = 'pg_authid'::regclass and d.dbid = (select oid from pg_database where datname = current_database())
      and not r.rolsuper and r.rolname <> current_user and r.rolname not like 'pg\_%'
    order by 1`;
  const names = roles.map(({ name }) => name);
  const grants = await client<{ statement: string }[]>`
    select distinct format('GRANT %I TO %s WITH SET %s, INHERIT %s;', g.rolname,
      case when m.rolname = current_user then 'CURRENT_USER' else format('%I', m.rolname) end,
      upper(bool_or(a.set_option)::text), upper(bool_or(a.inherit_option)::text)) as statement
    from pg_auth_members a join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member
    where g.rolname = any(${names}) and (m.rolname = any(${names}) or m.rolname = current_user)
      and (a.set_option or a.inherit_option)
    group by g.rolname, m.rolname
    order by 1`;
  const creations = roles.map(({ name, inherit }) => {
    const literal = `'${name.replaceAll("'", "''")}'`;
    const quoted = `"${name.replaceAll('"', '""')}"`;
    const options = `NOLOGIN ${inherit ? "INHERIT" : "NOINHERIT"}`;
    return `  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${literal}) THEN CREATE ROLE ${quoted} ${options}; END IF;`;
  });
  return [`DO $roles$ BEGIN\n${creations.join("\n")}\nEND $roles$;`, ...grants.map(({ statement }) => statement)];
}
