import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Refusal } from "./cli.ts";
import { type Migration, readMigrations } from "./migrations.ts";
import { migrationsFolder } from "./paths.ts";

/** Migrations before this were written when no deployed database had a row to lock or to lose. */
const deployedSince = "20261201000000";

/** Rules of squawk that another part of the project answers. */
const answered = [
  // db:migrate sets both, for every statement.
  "require-lock-timeout",
  "require-statement-timeout",
  // A file is applied as a whole or not at all; what is applied alone is checked by db:migrate.
  "prefer-robust-stmts",
  // Style, decided in db/schema: counters are integers.
  "prefer-bigint-over-int",
];

interface Complaint {
  file: string;
  line: number;
  rule_name: string;
  message: string;
  help: string | null;
}

/** What would lock, break or lose something in production, one line each; nothing for files that are safe. */
export function migrationLints(folder = migrationsFolder, since = deployedSince): string[] {
  const migrations = readMigrations(folder);
  const loose = migrations.filter(({ isLoose }) => isLoose);
  const whole = migrations.filter(({ isLoose }) => !isLoose);
  const complaints = [...squawk(folder, loose, []), ...squawk(folder, whole, ["--assume-in-transaction"])];
  return complaints
    .filter(({ file, rule_name: rule }) => file >= since || rule === "syntax-error")
    .map(({ file, line, rule_name: rule, message, help }) => {
      const mend = help ? ` ${help}` : "";
      return `${file}:${line + 1} ${rule}: ${message}${mend}`;
    });
}

function squawk(folder: string, migrations: Migration[], options: string[]): Complaint[] {
  if (migrations.length === 0) return [];
  const files = migrations.map(({ tag }) => `${tag}.sql`);
  const flags = [
    "--no-error-on-unmatched-pattern",
    "--reporter=json",
    "--pg-version=17",
    `--exclude=${answered.join(",")}`,
  ];
  const { stdout, stderr, status } = spawnSync(squawkProgram(), [...flags, ...options, ...files], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0 && !stdout.startsWith("[")) throw new Error(`squawk ended with ${status}: ${stderr}${stdout}`);
  return JSON.parse(stdout);
}

function squawkProgram(): string {
  const package_ = `@squawk-cli/${process.platform}-${process.arch}`;
  const folder = join(createRequire(import.meta.url).resolve("squawk-cli/package.json"), "../..", package_, "bin");
  const program = join(folder, process.platform === "win32" ? "squawk.exe" : "squawk");
  if (existsSync(program)) return program;
  throw new Refusal(
    `squawk is not installed for ${process.platform}-${process.arch}: bun install ${package_}, or leave it to CI.`,
  );
}
