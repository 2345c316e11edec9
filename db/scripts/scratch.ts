import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { migrationsFolder } from "./paths.ts";

/** SQL that makes the schema's owner as a host such as Neon grants it: CREATEROLE and BYPASSRLS, but no superuser. */
export const createOwnerSql = `
  create role fairlead_owner login createrole createdb bypassrls;
  grant create on database postgres to fairlead_owner;
  alter schema public owner to fairlead_owner;`;

/** An empty in-memory database with every migration applied by a non-superuser owner; close it after use. */
export async function migratedScratch(): Promise<PGlite> {
  const pglite = await PGlite.create();
  await pglite.exec(createOwnerSql);
  await pglite.exec("set session authorization fairlead_owner");
  await migrate(drizzle(pglite), { migrationsFolder });
  return pglite;
}
