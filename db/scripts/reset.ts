import postgres from "postgres";
import { confirm, runCommand } from "./cli.ts";
import { readTarget } from "./env.ts";
import { migrateDatabase } from "./migrator.ts";
import { seedDatabase } from "./seed.ts";

const usage = `bun db:reset [--yes]

Drops everything in the local database, migrates it and writes the demo data. Refused for staging and prod.
  --yes  does not ask, where DATABASE_URL names the database`;

/** Drops the schemas and what is in them, as the owner at `url`; the roles stay: they belong to the whole server. */
export async function dropEverything(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    await sql.begin(async (tx) => {
      await tx`drop schema if exists public, auth, drizzle cascade`;
      await tx`create schema public`;
      await tx`grant usage on schema public to public`;
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Makes the database at `url` anew: empty, migrated, with the demo data. Returns how many migrations it applied. */
export async function resetDatabase(url: string): Promise<number> {
  await dropEverything(url);
  const applied = await migrateDatabase(url);
  await seedDatabase(url);
  return applied;
}

async function run(yes: boolean): Promise<void> {
  const target = readTarget({ localOnly: "db:reset" });
  const { openDatabase, removeEmbedded } = await import("@repo/dev/database");
  // Gone as a whole, a folder that no longer opens is mended too.
  if (!target.databaseUrl) await removeEmbedded();
  const database = await openDatabase(target);
  try {
    if (target.databaseUrl && !yes) await confirm(`Delete all data in ${database.description}?`);
    const applied = await resetDatabase(database.owner);
    console.log(`${target.environment}: ${database.description} is new: ${applied} migrations and the demo data`);
  } finally {
    await database.close();
  }
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: { yes: { type: "boolean", default: false } },
    run: ({ yes }) => run(yes),
  });
}
