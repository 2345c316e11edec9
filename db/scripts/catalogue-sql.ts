/** Schemas that belong to us. */
const ours = "('public', 'auth')";
/** Roles that a host gives rights of their own; they are its affair. */
const hostRoles = "('neon_superuser', 'cloud_admin')";

const rolesOf = (array: string) =>
  `(select string_agg(coalesce(r.rolname, 'public'), ', ' order by r.rolname) from unnest(${array}) m left join pg_roles r on r.oid = m)`;

/** An owner's name differs between databases; who connects is the owner. */
const ownerName = (column: string) =>
  `case when ${column} = current_user::regrole then 'the owner' else pg_get_userbyid(${column}) end`;

/** Rights that an access list gives to others than the owner; `fallback` is what null stands for. */
const grants = (list: string, [kind, owner]: [string, string]) => `
  lateral (
    select coalesce(r.rolname, 'public') as grantee,
      string_agg(a.privilege_type || case when a.is_grantable then ' with grant option' else '' end, ', ' order by a.privilege_type) as rights
    from aclexplode(coalesce(${list}, acldefault('${kind}', ${owner}))) a
    left join pg_roles r on r.oid = a.grantee
    where a.grantee <> ${owner} and coalesce(r.rolname, 'public') not in ${hostRoles}
    group by 1
  ) g`;

const notExtensions = (column: string, catalogue: string) =>
  `not exists (select from pg_depend d where d.classid = '${catalogue}'::regclass and d.objid = ${column} and d.deptype = 'e')`;

const relations = `
  select c.oid, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
    case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ${ours} and ${notExtensions("c.oid", "pg_class")}`;

const functions = `
  select p.oid, p.proowner, p.proacl, format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname in ${ours} and p.prokind in ('f', 'p') and ${notExtensions("p.oid", "pg_proc")}`;

/**
 * The canonical catalogue, one row (name, value) per object: schemas, tables, columns, indexes, constraints, policies,
 * triggers, sequences, types, functions, grants, and the runtime roles (`$1`) with their memberships. The same on
 * PGlite and Postgres 17, whoever the owner is.
 */
export const catalogueSql = `
  with relation as (${relations}), function as (${functions})
  select 'schema ' || nspname as name, '' as value from pg_namespace where nspname in ${ours}
  union all
  select 'grant to ' || g.grantee || ' on schema ' || n.nspname, g.rights
  from pg_namespace n, ${grants("n.nspacl", ["n", "n.nspowner"])} where n.nspname in ${ours}
  union all
  select case relkind when 'S' then 'sequence ' when 'v' then 'view ' when 'm' then 'view ' else 'table ' end || name,
    concat_ws(', ', 'owner: ' || ${ownerName("relowner")}, case when relkind in ('r', 'p') then
      'row-level security ' || case when relrowsecurity then 'enabled' else 'disabled' end
      || ' and ' || case when relforcerowsecurity then 'forced' else 'not forced' end end,
      case when relkind in ('v', 'm') then pg_get_viewdef(oid) end)
  from relation where relkind in ('r', 'p', 'S', 'v', 'm', 'f')
  union all
  select 'column ' || name || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
    (select 'collate "' || collname || '"' from pg_collation l join pg_type t on t.oid = a.atttypid
     where l.oid = a.attcollation and a.attcollation <> t.typcollation),
    case when a.attnotnull then 'not null' end, 'default ' || pg_get_expr(d.adbin, d.adrelid),
    nullif(a.attgenerated::text, ''), nullif(a.attidentity::text, ''))
  from relation join pg_attribute a on a.attrelid = relation.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where relkind in ('r', 'p', 'f')
  union all
  select 'index ' || relation.name || '.' || x.relname,
    pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' (invalid)' end
  from relation join pg_index i on i.indrelid = relation.oid join pg_class x on x.oid = i.indexrelid
  union all
  select 'constraint ' || name || '.' || conname, pg_get_constraintdef(k.oid)
  from relation join pg_constraint k on k.conrelid = relation.oid where contype not in ('n', 't')
  union all
  select 'trigger ' || name || '.' || tgname, pg_get_triggerdef(t.oid) || ' ' || tgenabled::text
  from relation join pg_trigger t on t.tgrelid = relation.oid where not tgisinternal
  union all
  select 'policy ' || name || '.' || polname, concat_ws(' ', case when polpermissive then 'permissive' else 'restrictive' end,
    case polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end,
    'to ' || ${rolesOf("polroles")}, 'using ' || pg_get_expr(polqual, polrelid), 'with check ' || pg_get_expr(polwithcheck, polrelid))
  from relation join pg_policy p on p.polrelid = relation.oid
  union all
  select 'grant to ' || g.grantee || ' on ' || name, g.rights
  from relation, ${grants("relacl", ["r", "relowner"])} where relkind in ('r', 'p', 'v', 'm', 'f')
  union all
  select 'grant to ' || g.grantee || ' on ' || name || '.' || a.attname, g.rights
  from relation join pg_attribute a on a.attrelid = relation.oid and a.attacl is not null,
    ${grants("a.attacl", ["c", "relowner"])}
  union all
  select 'type ' || n.nspname || '.' || typname, coalesce((select string_agg(enumlabel, ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid), typtype::text)
  from pg_type t join pg_namespace n on n.oid = t.typnamespace
  where n.nspname in ${ours} and typtype in ('e', 'd', 'r') and ${notExtensions("t.oid", "pg_type")}
  union all
  select 'function ' || name, 'owner: ' || ${ownerName("proowner")} || E'\\n' || pg_get_functiondef(oid) from function
  union all
  select 'grant to ' || g.grantee || ' on function ' || name, g.rights
  from function, ${grants("proacl", ["f", "proowner"])}
  union all
  select 'default rights of new objects in ' || coalesce(n.nspname, 'every schema') || ' (' || defaclobjtype::text || ') for ' || coalesce(r.rolname, 'public'), a.privilege_type
  from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace, aclexplode(defaclacl) a left join pg_roles r on r.oid = a.grantee
  where d.defaclrole = current_user::regrole and a.grantee <> d.defaclrole and coalesce(r.rolname, 'public') not in ${hostRoles}
  union all
  select 'role ' || rolname, concat_ws(' ', case when rolsuper then 'superuser' end, case when rolbypassrls then 'bypassrls' end,
    case when rolinherit then 'inherit' end, case when rolcreaterole then 'createrole' end,
    case when rolcreatedb then 'createdb' end, case when rolreplication then 'replication' end)
  from pg_roles where rolname = any($1)
  union all
  select 'member ' || case when member = current_user::regrole then 'the owner' else pg_get_userbyid(member) end || ' of ' || pg_get_userbyid(roleid),
    concat_ws(' ', case when bool_or(set_option) then 'set' end, case when bool_or(inherit_option) then 'inherit' end,
      case when bool_or(admin_option) and member <> current_user::regrole then 'admin' end)
  from pg_auth_members
  where pg_get_userbyid(member) = any($1) or (member = current_user::regrole and pg_get_userbyid(roleid) = any($1))
  group by member, roleid`;
