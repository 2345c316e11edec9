import { migrateDatabase } from "@repo/db/scripts/migrate";
import { startEmbedded } from "./embedded.ts";
import { ensureLogins, startOnPostgres } from "./outer-postgres.ts";
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
  /** Address of the local Hyperdrive's HTTP face: trips and cache statuses of a request, the cache's clock. */
  hyperdrive: string;
  stop(): Promise<void>;
}

const instruments = { cache: {}, shadow: true, control: 0 };

/**
 * A migrated, empty database behind the local Hyperdrive: PGlite in memory, or Postgres 17 where TEST_DATABASE is
 * `postgres`.
 */
export async function startTestDatabase(kind = process.env.TEST_DATABASE): Promise<TestDatabase> {
  return kind === "postgres" ? onPostgres() : onPglite();
}

async function onPglite(): Promise<TestDatabase> {
  const { cached, direct, owner, hyperdrive, close } = await startEmbedded({ instruments });
  await migrateDatabase(owner);
  return { cached, direct, owner, hyperdrive: hyperdrive.controlUrl ?? "", stop: close };
}

async function onPostgres(): Promise<TestDatabase> {
  const server = await startPostgres();
  await migrateDatabase(server.ownerUrl);
  await ensureLogins(server.ownerUrl);
  const { cached, direct, hyperdrive, close } = await startOnPostgres(server.ownerUrl, { instruments });
  return {
    cached,
    direct,
    owner: server.ownerUrl,
    superuser: server.url,
    hyperdrive: hyperdrive.controlUrl ?? "",
    async stop() {
      await close();
      await server.stop();
    },
  };
}

// As a program: prints the addresses as one JSON line and serves until its standard input closes.
if (import.meta.main) {
  const database = await startTestDatabase();
  const { cached, direct, owner, superuser, hyperdrive } = database;
  const portOf = (url: string) => Number(new URL(url).port);
  const control = await startWireControl({ cached: portOf(cached), direct: portOf(direct) });
  console.log(JSON.stringify({ cached, direct, owner, superuser: superuser ?? "", hyperdrive, control: control.url }));
  process.stdin.resume().once("close", () => void control.close().then(() => database.stop()));
}
