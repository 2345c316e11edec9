import { join } from "node:path";
import postgres, { type TransactionSql } from "postgres";
import { Refusal } from "../cli.ts";
import { listTables, sequenceStatements, type TableInfo } from "./catalogue.ts";
import { copyOut } from "./copy-out.ts";
import { type ExportHead, type ExportSums, ExportWriter, partLine } from "./file.ts";
import { plainText } from "./plain-text.ts";
import type { Report } from "./progress.ts";
import { roleStatements } from "./roles.ts";
import { RowSum } from "./row-sum.ts";
import { dumpSchema, type SchemaDump } from "./schema-dump.ts";

export interface ExportRequest {
  /** Address of the database, as its owner. */
  url: string;
  /** The same on this machine, without TLS. */
  openLocal(): Promise<{ url: string; close(): Promise<void> }>;
  folder: string;
  environment: string;
  content: ExportHead["content"];
  /** These tables alone; empty: all. */
  tables: string[];
  report: Report;
}

/**
 * Writes a database to a new file in `folder`: all rows as of one moment.
 * @returns the file's path and what it holds. @throws Refusal when the owner is kept from seeing all rows, or the
 * schema changes meanwhile.
 */
export async function exportDatabase(request: ExportRequest): Promise<{ path: string; sums: ExportSums }> {
  const client = postgres(request.url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    // The embedded database serves one session at a time: definitions first, and then a look whether they still hold.
    const { head, dump, tables } = await client.begin("read only", (tx) => plan(tx, request));
    const schema = await dump();
    return await client.begin("isolation level repeatable read read only", async (tx) => {
      await tx`set local row_security = off`;
      await plainText(tx);
      if (JSON.stringify(await listTables(tx, request.tables)) !== JSON.stringify(tables)) {
        throw new Refusal("The schema changed meanwhile: run db:export again.");
      }
      const path = join(request.folder, fileName(head));
      const writer = await ExportWriter.create(path, { ...head, tool: schema?.tool ?? "COPY" });
      try {
        const sums = await writeParts(tx, writer, { request, schema, tables: rowTables(tables, request) });
        await writer.finish(sums);
        return { path, sums };
      } catch (error) {
        await writer.abandon();
        throw error;
      }
    });
  } finally {
    await client.end({ timeout: 5 });
  }
}

async function plan(tx: TransactionSql, { url, openLocal, content, tables: only, environment }: ExportRequest) {
  const tables = await listTables(tx, only);
  if (tables.length === 0) throw new Refusal("There is nothing to export: run db:migrate first.");
  const [server] = await tx<{ version: string; owner: string }[]>`
    select split_part(current_setting('server_version'), ' ', 1) as version, current_user as owner`;
  if (!server) throw new Error("the server does not say what it is");
  const head: Omit<ExportHead, "tool"> = {
    environment,
    createdAt: new Date().toISOString(),
    content,
    ...(only.length > 0 ? { tables: tables.map(({ name }) => name) } : {}),
    server: server.version,
  };
  const dump = async () => {
    if (content === "data") return undefined;
    const chosen = only.length > 0 ? tables.map(({ sql }) => sql) : undefined;
    return dumpSchema({
      url,
      openLocal,
      owner: server.owner,
      major: Number.parseInt(server.version, 10),
      tables: chosen,
    });
  };
  return { head, dump, tables };
}

/** Which migrations have run is part of the definitions: rows alone go into a database that knows by itself. */
function rowTables(tables: TableInfo[], { content, tables: only }: ExportRequest): TableInfo[] {
  if (content === "schema") return [];
  return content === "data" && only.length === 0 ? tables.filter(({ name }) => !name.startsWith("drizzle.")) : tables;
}

function fileName({ environment, createdAt, content, tables }: Omit<ExportHead, "tool">): string {
  const time = createdAt.replaceAll(/[-:]/g, "").replace(".", "");
  const what = [content === "all" ? "" : content, tables?.length === 1 ? tables[0] : tables ? "tables" : ""];
  return `${["fairlead", environment, time, ...what.filter(Boolean)].join("-")}.sql`;
}

interface Parts {
  request: ExportRequest;
  schema: SchemaDump | undefined;
  tables: TableInfo[];
}

async function writeParts(tx: TransactionSql, writer: ExportWriter, { request, schema, tables }: Parts) {
  const sums: ExportSums = {};
  if (schema) {
    const roles = await roleStatements(tx);
    await writer.write(`${partLine.roles}\n${roles.join("\n")}\n${partLine.before}\n${schema.before}\n`);
  }
  await writer.write(`${partLine.rows}\n`);
  for (const table of tables) sums[table.name] = await writeTable(tx, writer, { table, report: request.report });
  const isWhole = request.content === "all" && request.tables.length === 0;
  for (const statement of await sequenceStatements(tx, tables, isWhole)) await writer.write(`${statement}\n`);
  if (schema) await writer.write(`${partLine.after}\n${schema.after}\n`);
  return sums;
}

async function writeTable(
  tx: TransactionSql,
  writer: ExportWriter,
  { table, report }: { table: TableInfo; report: Report },
) {
  const { name, sql, columns } = table;
  const sum = new RowSum();
  await writer.write(`COPY ${sql} (${columns}) FROM stdin;\n`);
  for await (const lines of copyOut(tx, table)) {
    for (const line of lines) sum.add(line);
    await writer.write(Buffer.concat(lines.flatMap((line) => [line, lineBreak])));
    report.rows(name, sum.total.rows);
  }
  await writer.write("\\.\n");
  report.done(name, sum.total.rows);
  return sum.total;
}

const lineBreak = Buffer.from("\n");
