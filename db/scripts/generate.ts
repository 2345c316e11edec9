import { execFileSync } from "node:child_process";
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as schema from "../schema/index.ts";
import { accessChanges } from "./grants.ts";
import { dbFolder, migrationsFolder } from "./paths.ts";
import { migratedScratch } from "./scratch.ts";

const usage = `bun db:generate [--name <what>] [--custom]

Writes a SQL migration from db/schema: tables, indexes, policies, and the grants declared by access().
  --name    what the migration does, for its file name
  --custom  an empty migration, for SQL written by hand`;

function sqlFiles(): string[] {
  return readdirSync(migrationsFolder).filter((file) => file.endsWith(".sql"));
}

function drizzleKit(...args: string[]): void {
  execFileSync("drizzle-kit", ["generate", ...args], { cwd: dbFolder, stdio: ["ignore", "inherit", "inherit"] });
}

async function missingAccess(): Promise<string[]> {
  const scratch = await migratedScratch();
  try {
    return await accessChanges(scratch, schema);
  } finally {
    await scratch.close();
  }
}

function newFileSince(before: string[]): string | undefined {
  return sqlFiles().find((file) => !before.includes(file));
}

async function generate(name: string | undefined, custom: boolean): Promise<void> {
  const before = sqlFiles();
  drizzleKit(...(name ? ["--name", name] : []), ...(custom ? ["--custom"] : []));
  if (custom) return;
  const changes = await missingAccess();
  if (changes.length === 0) return;
  if (!newFileSince(before)) drizzleKit("--custom", "--name", name ?? "access");
  const file = newFileSince(before);
  if (!file) throw new Error("drizzle-kit wrote no migration file");
  const separator = "--> statement-breakpoint\n";
  const prefix = sqlFiles().length > before.length ? separator : "";
  appendFileSync(join(migrationsFolder, file), `${prefix}${changes.join(separator)}\n`);
  console.log(`access: ${changes.length} statements added to db/migrations/${file}`);
}

const { values } = parseArgs({
  options: { name: { type: "string" }, custom: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
if (values.help) console.log(usage);
else await generate(values.name, values.custom);
