import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as schema from "../schema/index.ts";
import { Refusal } from "./cli.ts";
import { drizzleKitGenerate } from "./drizzle-kit.ts";
import { readJournal } from "./migrations.ts";
import { dbFolder, migrationsFolder } from "./paths.ts";

/** The schema as a snapshot of drizzle-kit's; `id` and `prevId` are made up. */
export async function schemaSnapshot(): Promise<object> {
  // Three megabytes: read by those alone who need it.
  const { generateDrizzleJson } = await import("drizzle-kit/api");
  return JSON.parse(JSON.stringify(generateDrizzleJson(schema, undefined, undefined, "snake_case")));
}

/** SQL that `db:generate` would write for tables, indexes and policies; empty when the migrations say it all. */
export async function schemaChanges(migrations = migrationsFolder): Promise<string> {
  const now = await schemaSnapshot();
  const newest = newestSnapshot(migrations);
  if (newest && isDeepStrictEqual({ ...now, id: "", prevId: "" }, { ...newest, id: "", prevId: "" })) return "";
  try {
    return generatedSql(migrations);
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

/** Path, inside a migrations folder, of the snapshot that belongs to its newest migration. */
export function snapshotPath(migrations: string): string {
  return `meta/${readJournal(migrations).at(-1)?.tag.split("_")[0]}_snapshot.json`;
}

/** The snapshot that belongs to the newest migration. */
export function newestSnapshot(migrations = migrationsFolder): object | undefined {
  if (readJournal(migrations).length === 0) return undefined;
  return JSON.parse(readFileSync(join(migrations, snapshotPath(migrations)), "utf8"));
}

interface GenerateOptions {
  /** Changes the copy before drizzle-kit sees it. */
  prepare?(folder: string): void;
  /** Lets drizzle-kit ask, on a terminal, whether something was renamed. */
  asks?: boolean;
}

/**
 * What drizzle-kit writes into a copy of the folder.
 * @throws Refusal when it fails, or would have to ask and can't.
 */
export function generatedSql(migrations = migrationsFolder, { prepare, asks = false }: GenerateOptions = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-check-"));
  try {
    cpSync(migrations, folder, { recursive: true });
    prepare?.(folder);
    const known = readdirSync(folder);
    // drizzle-kit takes paths from where it runs, and no config beside these options.
    const options = {
      dialect: "postgresql",
      schema: "./schema/index.ts",
      out: relative(dbFolder, folder),
      casing: "snake_case",
      prefix: "timestamp",
    };
    const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    drizzleKitGenerate(flags, { asks });
    const written = readdirSync(folder).filter((file) => file.endsWith(".sql") && !known.includes(file));
    return written.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
