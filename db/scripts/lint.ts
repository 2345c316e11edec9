import type postgres from "postgres";
import { runCommand } from "./cli.ts";
import { isLocal, readTarget } from "./env.ts";
import { catalogueLints } from "./lint-catalogue.ts";
import { migrationLints } from "./lint-migrations.ts";
import { withOwner } from "./migrator.ts";
import { migratedScratch, queryOf } from "./scratch.ts";

const usage = `bun db:lint[:staging|:prod]

Finds what is unsafe or slow: in the migrations, what would lock, break or lose something in production; in the catalogue
that they make (:staging, :prod: that the database has), what row-level security, policies, foreign keys and functions
lack. Changes nothing; exit code 1 when it finds something.
A finding in a migration that you have thought about is accepted in the file, a line above its statement:
  -- squawk-ignore <rule>`;

async function run(): Promise<void> {
  const { environment, databaseUrl } = readTarget();
  const remote = isLocal(environment) ? undefined : databaseUrl;
  const findings = [...migrationLints(), ...(await (remote ? lintDatabase(remote) : lintMigrated()))];
  for (const line of findings) console.error(line);
  if (findings.length > 0) process.exitCode = 1;
  else console.log(`${remote ? `${environment}: ` : ""}migrations and catalogue are clean`);
}

async function lintMigrated(): Promise<string[]> {
  const scratch = await migratedScratch();
  try {
    return await catalogueLints(queryOf(scratch));
  } finally {
    await scratch.close();
  }
}

async function lintDatabase(url: string): Promise<string[]> {
  return withOwner(url, (sql) =>
    catalogueLints((text, parameters) => sql.unsafe(text, parameters as postgres.ParameterOrJSON<never>[])),
  );
}

if (import.meta.main) await runCommand({ usage, options: {}, run });
