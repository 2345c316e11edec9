/** The schema's owner on the databases that we make ourselves. */
export const ownerRole = "fairlead_owner";

/**
 * SQL that makes the owner as a host such as Neon grants it: CREATEROLE and BYPASSRLS, but no superuser. For a
 * superuser to run, as often as it likes.
 */
export const ownerSql = `
  do $$
  begin
    if not exists (select from pg_roles where rolname = '${ownerRole}') then
      create role ${ownerRole} login nosuperuser createrole createdb bypassrls;
    end if;
    execute format('grant create on database %I to ${ownerRole}', current_database());
  end
  $$;
  alter schema public owner to ${ownerRole};`;
