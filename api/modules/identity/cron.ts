import { lt, session, verification } from "@repo/db";
import { directDb, type Runtime } from "../../core/context.ts";
import { connectionOf } from "../../core/database/doors.ts";
import { Trips } from "../../core/database/trips.ts";
import { forgetAttempts } from "./auth/rate-limit.ts";

/** Deletes what has expired: sessions, pending proofs, counted attempts. */
export async function deleteExpired(runtime: Runtime): Promise<void> {
  const db = directDb(runtime, new Trips());
  const now = new Date();
  try {
    await db.delete(session).where(lt(session.expiresAt, now));
    await db.delete(verification).where(lt(verification.expiresAt, now));
    await forgetAttempts(db);
  } finally {
    runtime.waitUntil(connectionOf(db).close());
  }
}
