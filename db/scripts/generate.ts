import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { grantChanges } from "./check.ts";
import { runCommand } from "./cli.ts";
import { destroys } from "./destructive.ts";
import { drizzleKitGenerate } from "./drizzle-kit.ts";
import { migrationLints } from "./lint-migrations.ts";
import { readJournal } from "./migrations.ts";
import { migrationsFolder } from "./paths.ts";

const usage = `bun db:generate [--name <what>] [--custom]

Writes a SQL migration from db/schema: tables, indexes, policies, and the grants declared by access(). Warns of what it
would take away, and of what would lock a table that is in use.
  --name    what the migration does, for its file name
  --custom  an empty migration, for SQL written by hand`;

const separator = "--> statement-breakpoint\n";

function sqlFiles(): string[] {
  return readdirSync(migrationsFolder).filter((file) => file.endsWith(".sql"));
}

function newFileSince(before: string[]): string | undefined {
  return sqlFiles().find((file) => !before.includes(file));
}

/** Adds the access statements to the migration that drizzle-kit just wrote, or to one of their own. */
function writeAccess(before: string[], name: string, changes: string[]): void {
  const written = newFileSince(before);
  if (!written) console.log(drizzleKitGenerate(["--custom", "--name", name]));
  const file = newFileSince(before);
  if (!file) throw new Error("drizzle-kit wrote no migration file");
  const path = join(migrationsFolder, file);
  const sql = `${changes.join(separator)}\n`;
  // drizzle-kit ends neither its statements nor its header for custom files with a line break.
  if (written) appendFileSync(path, separator + sql);
  else writeFileSync(path, sql);
  console.log(`access: ${changes.length} statements in db/migrations/${file}`);
}

/** Says what the new file would destroy, or lock in production. */
function warn(file: string): void {
  const statements = readFileSync(join(migrationsFolder, file), "utf8").split("--> statement-breakpoint");
  for (const statement of statements.filter(destroys)) console.warn(`takes something away: ${statement.trim()}`);
  const lints = migrationLints().filter((line) => line.startsWith(file));
  for (const line of lints) console.warn(`careful: ${line}`);
}

async function generate(name: string | undefined, custom: boolean): Promise<void> {
  const before = sqlFiles();
  readJournal();
  const flags = [...(name ? ["--name", name] : []), ...(custom ? ["--custom"] : [])];
  const said = drizzleKitGenerate(flags, { asks: true });
  if (said) console.log(said);
  if (custom) return;
  const changes = await grantChanges();
  if (changes.length > 0) writeAccess(before, name ?? "access", changes);
  const written = newFileSince(before);
  if (written) warn(written);
}

await runCommand({
  usage,
  options: { name: { type: "string" }, custom: { type: "boolean", default: false } },
  run: ({ name, custom }) => generate(name, custom),
});
