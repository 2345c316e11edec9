import * as schema from "../schema/index.ts";
import { databaseFindings } from "./check-database.ts";
import { runCommand } from "./cli.ts";
import { readTarget, type Target } from "./env.ts";
import { expectedOf } from "./expected.ts";
import { exitCodeOf, type Finding } from "./findings.ts";
import { accessChanges } from "./grants.ts";
import { journalFindings } from "./journal.ts";
import { areReadable, readMigrations } from "./migrations.ts";
import { migrationsFolder } from "./paths.ts";
import { schemaChanges } from "./schema-changes.ts";

const usage = `bun db:check[:staging|:prod] [--offline]

Compares db/schema with the migrations, the migrations with each other, and the database with the migrations that it has.
Changes nothing. The exit code is the sum of what it found; 0 is nothing, 1 that it could not look:
   2  db/schema has what the migrations lack: db:generate
   4  the migrations contradict each other: an order, a file, a snapshot, two branches
   8  the database lacks migrations, or has others
  16  the database's tables, columns, indexes, constraints, policies, grants or functions are not the migrations'
  32  a role may more, or less, than it should
  64  auth.uid() in the database is somebody else's
  --offline  leaves the database out`;

/** What the schema and the migrations in `folder` say against each other. */
export async function repositoryFindings(folder = migrationsFolder): Promise<Finding[]> {
  const journal = journalFindings(folder);
  // On top of a broken chain, what drizzle-kit would write means nothing.
  if (journal.length > 0) return journal.map((text) => ({ kind: "journal", text }));
  const missing = [await schemaChanges(folder), ...(await grantChanges(folder))].filter((sql) => sql.trim());
  if (missing.length === 0) return [];
  return [{ kind: "schema", text: `db/schema has what the migrations lack; run db:generate:\n${missing.join("\n")}` }];
}

/** Statements that the grants lack, or have too many, compared with what access() declares. */
export async function grantChanges(folder = migrationsFolder): Promise<string[]> {
  const { access } = await expectedOf(readMigrations(folder));
  return accessChanges(access, schema);
}

async function findingsOf(target: Target): Promise<{ description: string; findings: Finding[] }> {
  const { openDatabase, hasEmbedded } = await import("@repo/dev/database");
  if (!target.databaseUrl && !hasEmbedded()) return { description: "there is no local database yet", findings: [] };
  const database = await openDatabase(target);
  try {
    return { description: database.description, findings: await databaseFindings(database.owner) };
  } finally {
    await database.close();
  }
}

async function run(offline: boolean): Promise<void> {
  const target = readTarget();
  const repository = await repositoryFindings();
  // Nothing to hold the database against; why, is found already.
  const isBroken = repository.some(({ kind }) => kind === "journal") && !areReadable();
  const database = offline || isBroken ? undefined : await findingsOf(target);
  const findings = [...repository, ...(database?.findings ?? [])];
  for (const { text } of findings) console.error(text);
  process.exitCode = exitCodeOf(findings);
  const place = database ? `${target.environment}: ${database.description}; ` : "";
  if (findings.length === 0) console.log(`${place}the migrations say what the schema says`);
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: { offline: { type: "boolean", default: false } },
    run: ({ offline }) => run(offline),
  });
}
