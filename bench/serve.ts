import { join } from "node:path";
import { migrateDatabase } from "@repo/db/scripts/migrate";
import postgres, { type Sql } from "postgres";
import { unstable_startWorker } from "wrangler";
import type { DoorUrls } from "../dev/doors.ts";
import { startPostgres } from "../dev/postgres.ts";
import { wranglerVariables } from "../dev/wrangler.ts";

/** Signs what the worker under test gives out. */
export const authSecret = "a secret of the benchmark, long enough for the check";

type Worker = Awaited<ReturnType<typeof unstable_startWorker>>;

interface Changes {
  /** Another main file than the config's. */
  entrypoint?: string;
  variables?: Record<string, string>;
}

/** Starts the worker of a wrangler file in workerd, without a store that stays. Paths are from this folder. */
export function startWorker(config: string, { entrypoint, variables }: Changes = {}): Promise<Worker> {
  const entries = Object.entries({ AUTH_SECRET: authSecret, ...variables });
  return unstable_startWorker({
    config: join(import.meta.dirname, config),
    ...(entrypoint ? { entrypoint: join(import.meta.dirname, entrypoint) } : {}),
    bindings: Object.fromEntries(entries.map(([name, value]) => [name, { type: "plain_text", value }])),
    dev: { logLevel: "error", server: { port: 0 }, inspector: false, watch: false, persist: false },
  });
}

/** Points both Hyperdrive bindings of every worker started afterwards at these addresses. */
export function leadTo({ cached, direct }: Omit<DoorUrls, "owner">): void {
  Object.assign(process.env, wranglerVariables({ cached, direct }));
}

/** A migrated Postgres to which both Hyperdrive bindings of every worker started afterwards lead; `fill` writes its rows. */
export async function serveDatabase(fill: (sql: Sql) => Promise<void>): Promise<{ stop(): Promise<void> }> {
  const server = await startPostgres();
  await migrateDatabase(server.ownerUrl);
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  await sql.unsafe("alter role app_cached login password 'local'; alter role app_direct login password 'local'");
  await fill(sql);
  await sql.end();
  const urlAs = (role: string) => Object.assign(new URL(server.url), { username: role, password: "local" }).href;
  leadTo({ cached: urlAs("app_cached"), direct: urlAs("app_direct") });
  return server;
}
