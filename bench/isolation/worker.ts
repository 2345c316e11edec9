import type { AnyRouter } from "@trpc/server";
import { migrateDatabase } from "../../db/scripts/migrate.ts";
import { resembleWorkerd } from "../../dev/api-loader.ts";
import type { Doors } from "../../dev/doors.ts";
import { startEmbedded } from "../../dev/embedded.ts";
import { ensureLogins, startOnPostgres } from "../../dev/outer-postgres.ts";
import { startPostgres } from "../../dev/postgres.ts";

resembleWorkerd();
// Behind the line above: the API's sources expect what it gives them.
const { createApp } = await import("../../api/app.ts");
const { appRouter } = await import("../../api/modules/registry.ts");
const { router } = await import("../../api/core/procedures.ts");
const { careless } = await import("./careless.ts");

/** The worker as it is, with careless procedures beside its own, and `more` in the place of some. */
export function buildApp(more: Record<string, AnyRouter> = {}) {
  // A router's record is what a router is made of; only its type says otherwise.
  const record = { ...appRouter._def.record, careless, ...more } as unknown as Parameters<typeof router>[0];
  return createApp(router(record));
}

const instruments = { cache: {}, shadow: true };

/** A migrated database of its own behind the local Hyperdrive, with the shadow on. */
export async function openDoors(kind: string | undefined): Promise<Doors> {
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
