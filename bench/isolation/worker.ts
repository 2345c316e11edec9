import { migrateDatabase } from "../../db/scripts/migrate.ts";
import { resembleWorkerd } from "../../dev/api-loader.ts";
import type { Doors } from "../../dev/doors.ts";
import { startEmbedded } from "../../dev/embedded.ts";
import type { CacheOptions } from "../../dev/hyperdrive/cache/cache.ts";
import { ensureLogins, startOnPostgres } from "../../dev/outer-postgres.ts";
import { startPostgres } from "../../dev/postgres.ts";

resembleWorkerd();
// Behind the line above: the API's sources expect what it gives them.
export const { buildApp } = await import("./app.ts");

/** A migrated database of its own behind the local Hyperdrive, with the shadow on. `cache`: other than Hyperdrive's. */
export async function openDoors(kind?: string, cache: CacheOptions = {}): Promise<Doors> {
  const instruments = { cache, shadow: true };
  if (kind !== "postgres") {
    const doors = await startEmbedded({ instruments });
    await migrateDatabase(doors.owner);
    return doors;
  }
  const server = await startPostgres();
  await migrateDatabase(server.ownerUrl);
  await ensureLogins(server.ownerUrl);
  const doors = await startOnPostgres(server.ownerUrl, { instruments });
  return {
    ...doors,
    owner: server.ownerUrl,
    async close() {
      await doors.close();
      await server.stop();
    },
  };
}
