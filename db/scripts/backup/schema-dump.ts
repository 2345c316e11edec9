import { spawn, spawnSync } from "node:child_process";
import { Refusal } from "../cli.ts";
import { variablesWith } from "../env.ts";
import { runPackagedPgDump } from "./pg-dump-wasm.ts";
import { portable } from "./portable.ts";

/** The schemas that are ours; others in the same database belong to the host or to somebody else. */
export const ourSchemas = ["public", "auth", "drizzle"] as const;

/** Definitions as SQL, without rows. */
export interface SchemaDump {
  /** Schemas, functions, tables, grants: what rows need. */
  before: string;
  /** Constraints, indexes, policies: what comes after them. */
  after: string;
  /** What wrote it. */
  tool: string;
}

interface Source {
  url: string;
  /** Major version of its server. */
  major: number;
  /** Its owner, for whom whoever restores stands in. */
  owner: string;
  /** Quoted names with their schema; absent: everything of ours. */
  tables?: string[] | undefined;
  /** An address of the same database on this machine, without TLS; for the packaged pg_dump. */
  openLocal(): Promise<{ url: string; close(): Promise<void> }>;
}

/** Dumps definitions, by the machine's own pg_dump where it is new enough for the server, else by the packaged one. */
export async function dumpSchema(source: Source): Promise<SchemaDump> {
  const installed = installedPgDump(source.major);
  const chosen = source.tables?.map((table) => `--table=${table}`) ?? ourSchemas.map((name) => `--schema=${name}`);
  const args = ["--schema-only", "--no-tablespaces", "--no-publications", "--no-subscriptions", ...chosen];
  const dump = async (run: (args: string[]) => Promise<string>, tool: string): Promise<SchemaDump> => ({
    before: portable(await run([...args, "--section=pre-data"]), source.owner),
    after: portable(await run([...args, "--section=post-data"]), source.owner),
    tool,
  });
  if (installed) return dump((all) => runInstalled(source.url, all), `pg_dump ${installed}`);
  const local = await source.openLocal();
  try {
    return await dump((all) => runPackagedPgDump(local.url, all), "the packaged pg_dump");
  } finally {
    await local.close();
  }
}

/** Version of the machine's own pg_dump; undefined when there is none, or it is older than the server. */
export function installedPgDump(serverMajor: number): string | undefined {
  const { stdout } = spawnSync("pg_dump", ["--version"], { encoding: "utf8" });
  const version = stdout?.match(/ (\d+[\d.]*)/)?.[1];
  return version && Number.parseInt(version, 10) >= serverMajor ? version : undefined;
}

/** The password goes through the environment: arguments are for everybody on the machine to see. */
function runInstalled(url: string, args: string[]): Promise<string> {
  const address = new URL(url);
  const PGPASSWORD = decodeURIComponent(address.password);
  address.password = "";
  // libpq would look for a file of its own; the other tools trust the machine's authorities.
  if (address.searchParams.get("sslmode") === "verify-full" && !address.searchParams.has("sslrootcert")) {
    address.searchParams.set("sslrootcert", "system");
  }
  return new Promise((resolve, reject) => {
    const child = spawn("pg_dump", [...args, `--dbname=${address.href}`], { env: variablesWith({ PGPASSWORD }) });
    let output = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => (output += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk) => (complaint += chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Refusal(`pg_dump failed: ${complaint.trim()}`));
    });
  });
}
