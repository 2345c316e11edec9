import { idempotencyKey, lt } from "@repo/db";
import { type Runtime, withDirectDb } from "./context.ts";
import { asService } from "./database/service.ts";

const keptMs = 86_400_000;

/** Deletes idempotency keys that are older than a day. */
function forgetIdempotencyKeys(runtime: Runtime): Promise<void> {
  const old = lt(idempotencyKey.createdAt, new Date(Date.now() - keptMs));
  return withDirectDb(runtime, (dbDirect) =>
    asService(dbDirect, async (tx) => {
      await tx.delete(idempotencyKey).where(old);
    }),
  );
}

/** What the core itself does on a schedule. */
export const core = { crons: { "17 3 * * *": forgetIdempotencyKeys } as Record<string, typeof forgetIdempotencyKeys> };
