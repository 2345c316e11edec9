import { idempotencyKey, lt } from "@repo/db";
import { directDb, type Runtime } from "./context.ts";
import { connectionOf } from "./database/doors.ts";
import { asService } from "./database/service.ts";
import { Trips } from "./database/trips.ts";

const keptMs = 86_400_000;

/** Deletes idempotency keys that are older than a day. */
async function forgetIdempotencyKeys(runtime: Runtime): Promise<void> {
  const db = directDb(runtime, new Trips());
  try {
    await asService(db, (tx) =>
      tx.delete(idempotencyKey).where(lt(idempotencyKey.createdAt, new Date(Date.now() - keptMs))),
    );
  } finally {
    await connectionOf(db).close();
  }
}

/** What the core itself does on a schedule. */
export const core = { crons: { "17 3 * * *": forgetIdempotencyKeys } as Record<string, typeof forgetIdempotencyKeys> };
