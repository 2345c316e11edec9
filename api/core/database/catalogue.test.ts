import { runtimeRoles } from "@repo/db";
import { expect, test } from "vitest";
import { ownerSql } from "../../test/owner.ts";

async function column(text: string, values: unknown[] = []): Promise<unknown[]> {
  const { rows } = await ownerSql(text, values);
  return rows.map((row) => Object.values(row)[0]);
}

/** The functions that see past row-level security, and who may call them. */
const definers = {
  accept_invitation: "authenticated",
  adopt_resumes: "app_direct",
  consume_key: "app_direct",
  create_organization: "authenticated",
  free_slugs: "authenticated",
  reject_invitation: "authenticated",
  release_organizations: "authenticated",
  resolve_caller: "app_direct",
  resolve_external: "app_direct",
};

const publicTables = "pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'";

test("every table has row-level security, enabled and forced", async () => {
  expect(await column(`select relname from ${publicTables} and not (relrowsecurity and relforcerowsecurity)`)).toEqual(
    [],
  );
  expect((await column(`select relname from ${publicTables}`)).length).toBeGreaterThan(5);
});

test("every role that has a grant on a table has a policy there, and none is open to everybody", async () => {
  const missing = `
    select distinct c.relname || ' ' || r.rolname
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    cross join lateral (select (aclexplode(c.relacl)).* union select (aclexplode(a.attacl)).*) acl
    join pg_roles r on r.oid = acl.grantee and r.rolname = any($1)
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      and not exists (select from pg_policy p where p.polrelid = c.oid and r.oid = any(p.polroles))`;
  expect(await column(missing, [[...runtimeRoles]])).toEqual([]);
  expect(await column("select polname from pg_policy where 0 = any(polroles)")).toEqual([]);
});

test("runtime roles bypass nothing, inherit nothing and own nothing but the resolver's functions", async () => {
  const strong = "rolsuper or rolbypassrls or rolinherit or rolcreaterole or rolcreatedb or rolreplication";
  expect(
    await column(`select rolname from pg_roles where rolname = any($1) and (${strong})`, [[...runtimeRoles]]),
  ).toEqual([]);
  const owned = "select relname from pg_class join pg_roles r on r.oid = relowner where rolname = any($1)";
  expect(await column(owned, [[...runtimeRoles]])).toEqual([]);
  const functions =
    "select proname from pg_proc p join pg_roles r on r.oid = proowner where rolname = any($1) order by 1";
  expect(await column(functions, [[...runtimeRoles]])).toEqual(Object.keys(definers));
});

test("app_direct can become exactly the callers' roles and service; app_cached nobody", async () => {
  const memberships = `
    select m.rolname || ' → ' || g.rolname from pg_auth_members
    join pg_roles m on m.oid = member join pg_roles g on g.oid = roleid
    where m.rolname = any($1) order by 1`;
  expect(await column(memberships, [[...runtimeRoles]])).toEqual(
    ["admin", "anonymous", "authenticated", "service", "support"].map((role) => `app_direct → ${role}`),
  );
  expect(
    await column(
      "select count(*)::int from pg_auth_members join pg_roles m on m.oid = member where m.rolname = 'app_direct' and inherit_option",
    ),
  ).toEqual([0]);
});

test("definer functions have a fixed search_path, and each is executable by the one role that needs it", async () => {
  const inAuth = "pg_proc p where p.pronamespace = 'auth'::regnamespace and p.prosecdef";
  expect(
    await column(
      `select proname from ${inAuth} and coalesce(array_to_string(proconfig, ','), '') not like '%search_path=""%'`,
    ),
  ).toEqual([]);
  const executors = `select p.proname || ' ' || coalesce(r.rolname, 'public')
    from pg_proc p cross join aclexplode(p.proacl) acl left join pg_roles r on r.oid = acl.grantee
    where p.pronamespace = 'auth'::regnamespace and p.prosecdef and acl.grantee <> p.proowner order by 1`;
  expect(await column(executors)).toEqual(Object.entries(definers).map(([name, role]) => `${name} ${role}`));
});

test("the schema's owner is no superuser, so all of this holds on a hosted Postgres too", async () => {
  expect(
    await column("select current_user::text where (select rolsuper from pg_roles where rolname = current_user)"),
  ).toEqual([]);
});
