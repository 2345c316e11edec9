import { mkdirSync } from "node:fs";
import { relative } from "node:path";
import { exportDatabase } from "./backup/export-database.ts";
import { reportOnStderr } from "./backup/progress.ts";
import { Refusal, runCommand } from "./cli.ts";
import { readTarget } from "./env.ts";
import { backupsFolder, rootFolder } from "./paths.ts";

const usage = `bun db:export[:staging|:prod] [--data | --data-only | --schema-only] [--table <name> …]

Writes the database to a new file in db/backups, readable by you alone: definitions and rows, all as of one moment.
The file is SQL; db:restore puts it back and checks every table's rows.
  --data         definitions and rows; the default
  --data-only    rows alone, for a database that is migrated already
  --schema-only  definitions alone
  --table        this table alone; may be repeated`;

interface Choice {
  data: boolean;
  "data-only": boolean;
  "schema-only": boolean;
  table: string[];
}

async function run(choice: Choice): Promise<void> {
  const content = contentOf(choice);
  const target = readTarget();
  const { openDatabase, openTunnel } = await import("@repo/dev/database");
  const database = await openDatabase(target);
  try {
    console.error(`${target.environment}: ${database.description}`);
    mkdirSync(backupsFolder, { recursive: true, mode: 0o700 });
    const { path, sums } = await exportDatabase({
      url: database.owner,
      openLocal: () => openTunnel(target, database.owner),
      folder: backupsFolder,
      environment: target.environment,
      content,
      tables: choice.table,
      report: reportOnStderr(),
    });
    const tables = Object.values(sums);
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    console.log(`wrote ${relative(rootFolder, path)}: ${tables.length} tables, ${rows.toLocaleString("en")} rows`);
  } finally {
    await database.close();
  }
}

function contentOf({ data, "data-only": dataOnly, "schema-only": schemaOnly }: Choice): "all" | "data" | "schema" {
  if ([data, dataOnly, schemaOnly].filter(Boolean).length > 1) {
    throw new Refusal("Choose one of --data, --data-only and --schema-only.");
  }
  if (dataOnly) return "data";
  return schemaOnly ? "schema" : "all";
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: {
      data: { type: "boolean", default: false },
      "data-only": { type: "boolean", default: false },
      "schema-only": { type: "boolean", default: false },
      table: { type: "string", multiple: true, default: [] },
    },
    run,
  });
}
