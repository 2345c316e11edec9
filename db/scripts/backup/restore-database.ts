import postgres, { type TransactionSql } from "postgres";
import { Refusal } from "../cli.ts";
import { isEmpty, listTables, type TableInfo } from "./catalogue.ts";
import { copyIn } from "./copy-in.ts";
import { copyOut } from "./copy-out.ts";
import { type ExportHead, type ExportSums, exportLines, partLine } from "./file.ts";
import { plainText } from "./plain-text.ts";
import type { Report } from "./progress.ts";
import { RowSum, type TableSum } from "./row-sum.ts";
import { ourSchemas } from "./schema-dump.ts";

export interface RestoreRequest {
  /** Address of the database, as its owner. */
  url: string;
  path: string;
  /** As `checkExport` read them. */
  head: ExportHead;
  sums: ExportSums;
  report: Report;
}

/** What stands in the way of a restore and would be lost: nothing, or a description of it. */
export async function findObstacle(
  url: string,
  { head, sums }: Pick<RestoreRequest, "head" | "sums">,
): Promise<string> {
  return withOwner(url, async (client) => {
    if (head.content !== "data" && !head.tables) return (await isEmpty(client)) ? "" : "everything in it";
    const there = await listTables(client);
    const wanted = head.tables ?? Object.keys(sums);
    const present = there.filter(({ name }) => wanted.includes(name));
    if (head.content !== "data") return present.map(({ name }) => name).join(", ");
    const missing = wanted.filter((name) => !there.some((table) => table.name === name));
    if (missing.length > 0) throw new Refusal(`The database has no ${missing.join(", ")}: run db:migrate first.`);
    const filled: string[] = [];
    for (const { name, sql } of present) {
      const [row] = await client.unsafe(`select exists (select from ${sql}) as filled`);
      if (row?.filled) filled.push(name);
    }
    return filled.length > 0 ? `all rows of ${filled.join(", ")}` : "";
  });
}

/**
 * Puts a checked export into the database at `url` in place of what stands in its way, in one transaction: afterwards
 * every table's rows add up as they did when they were exported, or nothing has changed.
 */
export async function restoreDatabase({ url, path, head, sums, report }: RestoreRequest): Promise<void> {
  await withOwner(url, async (client) => {
    await client.begin(async (tx) => {
      await clear(tx, head, sums);
      await plainText(tx);
      await replay(tx, path, report);
      await compare(tx, sums);
    });
    for (const { name, sql } of await listTables(client)) if (sums[name]) await client.unsafe(`analyze ${sql}`);
  });
}

async function clear(tx: TransactionSql, { content, tables }: ExportHead, sums: ExportSums): Promise<void> {
  if (content !== "data" && !tables) {
    // As a new database has it.
    await tx.unsafe(
      `drop schema if exists ${ourSchemas.join(", ")} cascade; create schema public; grant usage on schema public to public`,
    );
    return;
  }
  const there = await listTables(tx);
  const names = tables ?? Object.keys(sums);
  const targets = there.filter(({ name }) => names.includes(name)).map(({ sql }) => sql);
  if (targets.length === 0) return;
  // Neither takes other tables along: what refers to these rows makes it fail.
  await tx.unsafe(`${content === "data" ? "truncate" : "drop table"} ${targets.join(", ")}`);
}

/** Runs the parts in their order; rows go in as they come. */
async function replay(tx: TransactionSql, path: string, report: Report): Promise<void> {
  const marks = new Set<string>(Object.values(partLine));
  const supported = await serverFilter(tx);
  let statements: string[] = [];
  const flush = async () => {
    const sql = statements.join("\n");
    statements = [];
    if (sql.trim()) await tx.unsafe(sql);
  };
  let isRows = false;
  const lines = exportLines(path);
  for await (const line of lines) {
    const text = line.toString();
    if (marks.has(text)) {
      await flush();
      isRows = text === partLine.rows;
    } else if (isRows && text.startsWith("COPY ")) {
      await flush();
      await copyIn(tx, text, { lines, report });
    } else if (supported(text)) {
      statements.push(text);
    }
  }
  await flush();
}

/** Leaves out a setting that servers before 17 do not know. */
async function serverFilter(tx: TransactionSql): Promise<(line: string) => boolean> {
  const [row] = await tx`select current_setting('server_version_num')::int as version`;
  return (line) => Number(row?.version) >= 170_000 || line !== "SET transaction_timeout = 0;";
}

async function compare(tx: TransactionSql, sums: ExportSums): Promise<void> {
  const tables = await listTables(tx);
  for (const [name, wanted] of Object.entries(sums)) {
    const table = tables.find((other) => other.name === name);
    const found = table && (await sumOf(tx, table));
    if (found?.rows !== wanted.rows || found.checksum !== wanted.checksum) {
      throw new Refusal(`${name} did not come out as it was exported; nothing was changed.`);
    }
  }
}

async function sumOf(tx: TransactionSql, table: TableInfo): Promise<TableSum> {
  const sum = new RowSum();
  for await (const lines of copyOut(tx, table)) for (const line of lines) sum.add(line);
  return sum.total;
}

async function withOwner<T>(url: string, work: (client: postgres.Sql) => Promise<T>): Promise<T> {
  const client = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    return await work(client);
  } finally {
    await client.end({ timeout: 5 });
  }
}
