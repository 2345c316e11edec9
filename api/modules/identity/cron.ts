import { lt, session, verification } from "@repo/db";
import { type Runtime, withDirectDb } from "../../core/context.ts";
import { forgetAttempts } from "./auth/rate-limit.ts";

/** Deletes what has expired: sessions, pending proofs, counted attempts. */
export async function deleteExpired(runtime: Runtime): Promise<void> {
  const now = new Date();
  await withDirectDb(runtime, async (db) => {
    await db.delete(session).where(lt(session.expiresAt, now));
    await db.delete(verification).where(lt(verification.expiresAt, now));
    await forgetAttempts(db);
  });
}
