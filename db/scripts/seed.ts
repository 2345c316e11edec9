import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { type DatabaseSchema, schema, user } from "../index.ts";
import { seeds } from "../seeds/index.ts";
import { Refusal, runCommand } from "./cli.ts";
import { readTarget } from "./env.ts";

const usage = `bun db:seed[:staging]

Writes the demo data: people, a company, résumés. What is there already stays as it is. Refused for prod.`;

/** Writes the demo data as the owner at `url`, in one transaction. What is there already stays as it is. */
export async function seedDatabase(url: string): Promise<void> {
  await withDrizzle(url, (db) => writeSeeds(db));
}

/** The same unless somebody has signed up already. Returns whether it wrote. */
export async function seedIfEmpty(url: string): Promise<boolean> {
  return withDrizzle(url, async (db) => {
    const known = await db.select({ id: user.id }).from(user).limit(1);
    if (known.length > 0) return false;
    await writeSeeds(db);
    return true;
  });
}

type OwnerDb = ReturnType<typeof drizzle<DatabaseSchema>>;

async function writeSeeds(db: OwnerDb): Promise<void> {
  await db.transaction(async (tx) => {
    for (const seed of seeds) await seed(tx);
  });
}

async function withDrizzle<T>(url: string, work: (db: OwnerDb) => Promise<T>): Promise<T> {
  const client = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    return await work(drizzle(client, { schema, casing: "snake_case" }));
  } finally {
    await client.end({ timeout: 5 });
  }
}

async function run(): Promise<void> {
  const target = readTarget();
  if (target.environment === "prod") throw new Refusal("db:seed writes demo data: refused for prod.");
  const { openDatabase } = await import("@repo/dev/database");
  const database = await openDatabase(target);
  try {
    await seedDatabase(database.owner);
    console.log(`${target.environment}: ${database.description} holds the demo data`);
  } finally {
    await database.close();
  }
}

if (import.meta.main) await runCommand({ usage, options: {}, run });
