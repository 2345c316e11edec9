import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { ownerRole, ownerSql } from "./owner.ts";
import { migrationsFolder } from "./paths.ts";

/** An empty in-memory database with every migration applied by a non-superuser owner; close it after use. */
export async function migratedScratch(): Promise<PGlite> {
  const pglite = await PGlite.create();
  await pglite.exec(ownerSql);
  await pglite.exec(`set session authorization ${ownerRole}`);
  await migrate(drizzle(pglite), { migrationsFolder });
  return pglite;
}
