import { spawn } from "node:child_process";
import { join } from "node:path";
import { confirm, Refusal, runCommand } from "./cli.ts";
import { readTarget, variablesWith } from "./env.ts";
import { dbFolder, drizzleKitProgram } from "./paths.ts";

const usage = `bun db:studio[:staging|:prod] [--port <n>] [--yes]

Drizzle Studio on the database: browse, query and edit its rows at https://local.drizzle.studio, as its owner, past
row-level security. Its server listens on this machine alone and answers that page alone. Asks first in prod. Beside
bun dev it uses the same database; without, it starts the embedded one and stops it at the end.
  --port  of the server, default 4983
  --yes   asks nothing`;

async function run(portText: string, yes: boolean): Promise<void> {
  const port = Number(portText);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Refusal(`--port is "${portText}": it must be a port.`);
  const target = readTarget();
  if (target.environment === "prod" && !yes) await confirm("Open prod, to read and to write?");
  const [{ openDatabase }, { refuseTakenPort }, { stopSignal }] = await Promise.all([
    import("@repo/dev/database"),
    import("@repo/dev/ports"),
    import("@repo/dev/stop"),
  ]);
  await refuseTakenPort(port, "choose another with --port");
  const stopping = stopSignal();
  const database = await openDatabase(target);
  try {
    console.error(`${target.environment}: ${database.description}`);
    await serve(database.owner, port, stopping);
  } finally {
    await database.close();
  }
}

/** Runs Drizzle Studio's server until it is to stop. */
async function serve(url: string, port: number, stopping: AbortSignal): Promise<void> {
  const guard = join(import.meta.dirname, "studio-guard.ts");
  const options = ["--host", "127.0.0.1", "--port", String(port)];
  const child = spawn(process.execPath, ["--import", guard, drizzleKitProgram, "studio", ...options], {
    cwd: dbFolder,
    stdio: ["ignore", "inherit", "inherit"],
    env: variablesWith({ DATABASE_URL: inLibpqsTerms(url) }),
  });
  const end = () => child.kill("SIGTERM");
  stopping.addEventListener("abort", end);
  if (stopping.aborted) end();
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (!stopping.aborted) throw new Refusal(`Drizzle Studio ended (code ${code}); its message is above.`);
}

/** Drizzle Studio's driver reads `sslmode=require` as `verify-full`, unless it is told to mean what everybody else means. */
function inLibpqsTerms(url: string): string {
  const address = new URL(url);
  if (address.searchParams.has("sslmode")) address.searchParams.set("uselibpqcompat", "true");
  return address.href;
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: { port: { type: "string", default: "4983" }, yes: { type: "boolean", default: false } },
    run: ({ port, yes }) => run(port, yes),
  });
}
