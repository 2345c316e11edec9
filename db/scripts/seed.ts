import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { type DatabaseSchema, schema, user } from "../index.ts";
import { seeds } from "../seeds/index.ts";
import { Refusal, runCommand } from "./cli.ts";
import { readTarget } from "./env.ts";

const usage = `bun db:seed[:staging] [--scale <n>]

Writes the demo data of every domain. What is there already stays as it is. Refused for prod.
  --scale  from 2 to 1000: beside it a crowd, ten people for each step, with their companies and whatever else they have;
           the same at every run`;

const largestScale = 1000;

interface SeedOptions {
  /** 1: the demo data alone. */
  scale?: number;
  /** Hears of each domain that is done. */
  report?: (domain: string, seconds: number) => void;
}

/** Writes the demo data as the owner at `url`, in one transaction. What is there already stays as it is. */
export async function seedDatabase(url: string, options: SeedOptions = {}): Promise<void> {
  await withDrizzle(url, (db) => writeSeeds(db, options));
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

async function writeSeeds(db: OwnerDb, { scale = 1, report }: SeedOptions = {}): Promise<void> {
  await db.transaction(async (tx) => {
    for (const seed of seeds) {
      const started = performance.now();
      await seed(tx, scale);
      report?.(seed.name.replace(/^seed/, "").toLowerCase(), (performance.now() - started) / 1000);
    }
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

async function run(scaleText: string): Promise<void> {
  const scale = Number(scaleText);
  if (!Number.isInteger(scale) || scale < 1 || scale > largestScale) {
    throw new Refusal(`--scale is "${scaleText}": it must be a number from 1 to ${largestScale}.`);
  }
  const target = readTarget();
  if (target.environment === "prod") throw new Refusal("db:seed writes demo data: refused for prod.");
  const { openDatabase } = await import("@repo/dev/database");
  const database = await openDatabase(target);
  try {
    const report = (domain: string, seconds: number) => console.error(`  ${domain}: ${seconds.toFixed(1)} s`);
    await seedDatabase(database.owner, scale > 1 ? { scale, report } : {});
    const crowd = scale > 1 ? ` and a crowd of scale ${scale}` : "";
    console.log(`${target.environment}: ${database.description} holds the demo data${crowd}`);
  } finally {
    await database.close();
  }
}

if (import.meta.main) {
  await runCommand({ usage, options: { scale: { type: "string", default: "1" } }, run: ({ scale }) => run(scale) });
}
