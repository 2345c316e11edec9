import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "./cli.ts";
import { migrationsFolder } from "./paths.ts";

/** One file of `db/migrations`. */
export interface Migration {
  /** Its file name without `.sql`. */
  tag: string;
  /** When it was generated, in Unix ms: its identity in `drizzle.__drizzle_migrations`. */
  when: number;
  /** SHA-256 of its text, as Drizzle records it. */
  hash: string;
  statements: string[];
  /** Each statement for itself: the file says that it can't run in a transaction. */
  isLoose: boolean;
}

export interface JournalEntry {
  idx: number;
  when: number;
  tag: string;
}

/** Stands in a line of its own in a file that can't run in a transaction. */
export const looseMark = "-- no transaction";

/** The journal's entries, in its order; none when the folder has no journal. @throws Refusal when it is no JSON. */
export function readJournal(folder = migrationsFolder): JournalEntry[] {
  const path = join(folder, "meta/_journal.json");
  if (!existsSync(path)) return [];
  try {
    return JSON.parse(readFileSync(path, "utf8")).entries;
  } catch {
    throw new Refusal(
      'meta/_journal.json is no JSON: did two branches meet in it? See docs/troubleshooting.md, "Migrations clash".',
    );
  }
}

/** Whether journal and files are there to be read. */
export function areReadable(folder = migrationsFolder): boolean {
  try {
    return readMigrations(folder).length >= 0;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/**
 * All migrations, in the journal's order.
 * @throws Refusal for a file that is missing, or that could not be run again after a cut.
 */
export function readMigrations(folder = migrationsFolder): Migration[] {
  return readJournal(folder).map(({ when, tag }) => {
    const path = join(folder, `${tag}.sql`);
    if (!existsSync(path)) throw new Refusal(`${tag}.sql is in the journal but not in db/migrations: bring it back.`);
    // A checkout on Windows may have other line ends; the hash must not.
    const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
    const migration = {
      tag,
      when,
      hash: createHash("sha256").update(text).digest("hex"),
      statements: text.split("--> statement-breakpoint").map((part) => part.trim()),
      isLoose: text.split("\n").some((line) => line.trim() === looseMark),
    };
    refuseUnrepeatable(migration);
    return migration;
  });
}

const repeatable = [
  /^create (unique )?index concurrently if not exists /i,
  /^drop index concurrently if exists /i,
  /^reindex /i,
  /^(vacuum|analyze)\b/i,
  /^alter table .* validate constraint /is,
  /^alter type .* add value if not exists /is,
  // Work in batches, which commit on their way: the author sees to it that they find what is left.
  /^(call|do|update|delete)\b/i,
];

/** After a cut nobody knows which statements have run, so that each must bear being run twice. */
function refuseUnrepeatable({ tag, statements, isLoose }: Migration): void {
  statements.forEach((statement, index) => {
    const bare = withoutComments(statement);
    if (isLoose && bare && !repeatable.some((form) => form.test(bare))) {
      const mend = "write IF [NOT] EXISTS, or move it to a file that runs in a transaction.";
      throw new Refusal(`${tag}.sql, statement ${index + 1}: without a transaction it could not run again; ${mend}`);
    }
    if (!isLoose && /^(create|drop)[^;']* concurrently /i.test(bare)) {
      const mend = `put it into a file of its own (db:generate --custom) with the line "${looseMark}".`;
      throw new Refusal(`${tag}.sql, statement ${index + 1}: CONCURRENTLY can't run in a transaction; ${mend}`);
    }
  });
}

/** A statement without the comment lines around it. */
export function withoutComments(statement: string): string {
  return statement.replace(/^\s*--.*$/gm, "").trim();
}
