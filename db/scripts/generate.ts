import { execFileSync } from "node:child_process";
import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { grantChanges } from "./check.ts";
import { runCommand } from "./cli.ts";
import { dbFolder, drizzleKitProgram, migrationsFolder } from "./paths.ts";

const usage = `bun db:generate [--name <what>] [--custom]

Writes a SQL migration from db/schema: tables, indexes, policies, and the grants declared by access().
  --name    what the migration does, for its file name
  --custom  an empty migration, for SQL written by hand`;

const separator = "--> statement-breakpoint\n";

function sqlFiles(): string[] {
  return readdirSync(migrationsFolder).filter((file) => file.endsWith(".sql"));
}

function drizzleKit(...args: string[]): void {
  execFileSync(process.execPath, [drizzleKitProgram, "generate", ...args], {
    cwd: dbFolder,
    stdio: ["ignore", "inherit", "inherit"],
  });
}

function newFileSince(before: string[]): string | undefined {
  return sqlFiles().find((file) => !before.includes(file));
}

/** Adds the access statements to the migration that drizzle-kit just wrote, or to one of their own. */
function writeAccess(before: string[], name: string, changes: string[]): void {
  const written = newFileSince(before);
  if (!written) drizzleKit("--custom", "--name", name);
  const file = newFileSince(before);
  if (!file) throw new Error("drizzle-kit wrote no migration file");
  const path = join(migrationsFolder, file);
  const sql = `${changes.join(separator)}\n`;
  // drizzle-kit ends neither its statements nor its header for custom files with a line break.
  if (written) appendFileSync(path, separator + sql);
  else writeFileSync(path, sql);
  console.log(`access: ${changes.length} statements in db/migrations/${file}`);
}

async function generate(name: string | undefined, custom: boolean): Promise<void> {
  const before = sqlFiles();
  drizzleKit(...(name ? ["--name", name] : []), ...(custom ? ["--custom"] : []));
  if (custom) return;
  const changes = await grantChanges();
  if (changes.length > 0) writeAccess(before, name ?? "access", changes);
}

await runCommand({
  usage,
  options: { name: { type: "string" }, custom: { type: "boolean", default: false } },
  run: ({ name, custom }) => generate(name, custom),
});
