import postgres from "postgres";
import { migrateDatabase } from "@repo/db/scripts/migrate";
import { startPostgres } from "./postgres.ts";
import { startWireControl } from "./wire-control.ts";

export interface TestDatabase {
  /** Address for the binding HYPERDRIVE_CACHED. */
  cached: string;
  /** Address for the binding HYPERDRIVE_DIRECT. */
  direct: string;
  /** Address for the schema's owner: setting up and looking at rows, past the doors. */
  owner: string;
  /** Address for a superuser, where the database is a real Postgres: for ending backends. */
  superuser?: string;
  stop(): Promise<void>;
}

export async function startTestDatabase(): Promise<TestDatabase> {
  const server = await startPostgres();
  await migrateDatabase(server.ownerUrl);
  const sql = postgres(server.url, { max: 1 });
  for (const role of ["app_cached", "app_direct"]) await sql.unsafe(`alter role ${role} login password 'local'`);
  await sql.end();
  const as = (user: string) => {
    const url = new URL(server.url);
    url.username = user;
    url.password = "local";
    return url.href;
  };
  return { cached: as("app_cached"), direct: as("app_direct"), owner: server.ownerUrl, superuser: server.url, stop: server.stop };
}

// As a program: prints the addresses as one JSON line and serves until its standard input closes.
if (import.meta.main) {
  const database = await startTestDatabase();
  const { cached, direct, owner, superuser } = database;
  const portOf = (url: string) => Number(new URL(url).port);
  const control = await startWireControl({ cached: portOf(cached), direct: portOf(direct) });
  console.log(JSON.stringify({ cached, direct, owner, superuser: superuser ?? "", control: control.url }));
  process.stdin.resume().once("close", () => void control.close().then(() => database.stop()));
}
