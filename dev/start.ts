import { setTimeout as wait } from "node:timers/promises";
import { Refusal, runCommand } from "@repo/db/scripts/cli";
import { readTarget, type Target } from "@repo/db/scripts/env";
import { migrateDatabase, pendingMigrations } from "@repo/db/scripts/migrate";
import { seedIfEmpty } from "@repo/db/scripts/seed";
import { demoPassword, demoUsers } from "@repo/db/seeds/identity";
import { ensureDevVars } from "./dev-vars.ts";
import type { Doors } from "./doors.ts";
import { startEmbedded } from "./embedded.ts";
import { ensureLogins, startOnPostgres } from "./outer-postgres.ts";
import { refuseTakenPort } from "./ports.ts";
import { type DevPorts, pgliteFolder, readPorts } from "./settings.ts";
import { leave, stopSignal } from "./stop.ts";
import { startWorker } from "./wrangler.ts";

const usage = `bun dev

Starts the API on http://127.0.0.1:8787 with a database that is migrated and holds demo data.
  PORT          another port; the four after it are the local Hyperdrive's: cached, direct, for tools, HTTP
  PGLITE_DIR    folder of the embedded database (default db/.pglite)
  DATABASE_URL  a Postgres to use instead`;

const pollEveryMs = 50;

async function run(target: Target, stopping: AbortSignal): Promise<void> {
  const ports = readPorts();
  for (const port of [ports.api, ...Object.values(ports.doors), ports.control]) await refuseTakenPort(port);
  if (ensureDevVars()) console.log("made .dev.vars with a secret of your own");
  const doors = await startDoors(target, ports);
  try {
    await serve(target, { api: ports.api, doors, stopping });
  } finally {
    await doors.close();
  }
}

async function startDoors({ databaseUrl }: Target, { doors: ports, control }: DevPorts): Promise<Doors> {
  const instruments = { cache: {}, shadow: true, control };
  // Out of reach is said here, before anything runs that would have to be ended.
  if (databaseUrl) await pendingMigrations(databaseUrl);
  if (databaseUrl) return startOnPostgres(databaseUrl, { ports, instruments });
  return startEmbedded({ folder: pgliteFolder(), ports, instruments, role: "dev" });
}

interface Service {
  api: number;
  doors: Doors;
  stopping: AbortSignal;
}

/** Serves until it is to stop. */
async function serve(target: Target, { api, doors, stopping }: Service): Promise<void> {
  // The database gets ready while wrangler starts.
  const worker = startWorker(api, doors);
  const stopped = new Promise<void>((resolve) => {
    if (stopping.aborted) resolve();
    else stopping.addEventListener("abort", () => resolve());
  });
  try {
    const ended = worker.ended.then((code) => {
      if (!stopping.aborted) throw new Refusal(`The worker ended (code ${code}); wrangler's message is above.`);
    });
    // Ended by ourselves, below, after another failure: nobody waits for it then.
    ended.catch(() => {});
    await Promise.race([ended, stopped, prepare(target, doors).then(() => isReady(api, stopping))]);
    if (!stopping.aborted) announce(api, doors);
    await Promise.race([ended, stopped]);
  } finally {
    await worker.stop();
  }
}

async function prepare({ databaseUrl }: Target, { owner }: Doors): Promise<void> {
  const applied = await migrateDatabase(owner);
  if (applied > 0) console.log(`applied ${applied} migration${applied === 1 ? "" : "s"}`);
  if (databaseUrl) await ensureLogins(databaseUrl);
  if (await seedIfEmpty(owner)) console.log("wrote the demo data");
}

/** Waits until the worker reaches the database through both its doors, or until it is to stop. */
async function isReady(port: number, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/ready`, { signal: stopping });
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // Nobody listens yet.
    }
    await wait(pollEveryMs);
  }
}

function announce(port: number, { owner, cached, direct, hyperdrive }: Doors): void {
  console.log(`ready http://127.0.0.1:${port}
  sign in   ${demoUsers.map(({ email }) => email).join(" or ")}, password ${demoPassword}
  mail      http://127.0.0.1:${port}/dev/mail
  database  psql ${owner}
  cached    psql ${cached}, as the worker reaches it
  direct    psql ${direct}, likewise
  cache     ${hyperdrive.controlUrl}/stats, and /queries, /events: what the local Hyperdrive sees`);
  hyperdrive.instruments.log.tellLeaks((line) => console.warn(line));
}

await runCommand({
  usage,
  options: {},
  async run() {
    await run(readTarget({ localOnly: "bun dev" }), stopSignal());
  },
});
await leave();
