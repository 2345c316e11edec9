import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import * as schema from "../schema/index.ts";
import { runCommand } from "./cli.ts";
import { accessChanges } from "./grants.ts";
import { dbFolder, drizzleKitProgram, migrationsFolder } from "./paths.ts";
import { migratedScratch } from "./scratch.ts";

const usage = `bun db:check

Compares db/schema with the migrations: what would db:generate write? Exit code 1 when it is not nothing.`;

/** SQL that `db:generate` would write for tables, indexes and policies; empty when the migrations say it all. */
export function schemaChanges(migrations = migrationsFolder): string {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-check-"));
  try {
    cpSync(migrations, folder, { recursive: true });
    const known = readdirSync(folder);
    // drizzle-kit takes paths from where it runs, and no config beside these options.
    const options = {
      dialect: "postgresql",
      schema: "./schema/index.ts",
      out: relative(dbFolder, folder),
      casing: "snake_case",
    };
    const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [drizzleKitProgram, "generate", ...flags, "--prefix=timestamp"],
      {
        cwd: dbFolder,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    if (status !== 0) return `${stdout}${stderr}`.trim();
    const written = readdirSync(folder).filter((file) => file.endsWith(".sql") && !known.includes(file));
    return written.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Statements that the grants lack, or have too many, compared with what access() declares. */
export async function grantChanges(): Promise<string[]> {
  const scratch = await migratedScratch();
  try {
    return await accessChanges(scratch, schema);
  } finally {
    await scratch.close();
  }
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: {},
    async run() {
      const findings = [schemaChanges(), ...(await grantChanges())].filter(Boolean);
      if (findings.length === 0) return console.log("the migrations say what the schema says");
      console.error(`db/schema has what the migrations lack; run db:generate:\n${findings.join("\n")}`);
      process.exitCode = 1;
    },
  });
}
