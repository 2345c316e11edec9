import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as schema from "../schema/index.ts";
import { readJournal } from "./migrations.ts";
import { dbFolder, drizzleKitProgram, migrationsFolder } from "./paths.ts";

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
  return generatedSql(migrations);
}

/** The snapshot that belongs to the newest migration. */
export function newestSnapshot(migrations = migrationsFolder): object | undefined {
  const tag = readJournal(migrations).at(-1)?.tag;
  return tag && JSON.parse(readFileSync(join(migrations, `meta/${tag.split("_")[0]}_snapshot.json`), "utf8"));
}

/**
 * What drizzle-kit writes into a copy of the folder, changed before by `prepare`. What it can't decide without asking,
 * a column that may have been renamed, ends with what it said.
 */
export function generatedSql(migrations = migrationsFolder, prepare: (folder: string) => void = () => {}): string {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-check-"));
  try {
    cpSync(migrations, folder, { recursive: true });
    prepare(folder);
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
    const { status, stdout, stderr } = spawnSync(process.execPath, [drizzleKitProgram, "generate", ...flags], {
      cwd: dbFolder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (status !== 0) return `${stdout}${stderr}`.trim();
    const written = readdirSync(folder).filter((file) => file.endsWith(".sql") && !known.includes(file));
    return written.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
