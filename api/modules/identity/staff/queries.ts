import { desc, eq, identity, or, passkey, session, sql, user } from "@repo/db";
import { like, type SQL } from "drizzle-orm";
import type { Tx } from "../../../core/database/doors.ts";
import { ownIdentity, ownPasskey, ownSession, ownUser } from "../queries.ts";

/** A user as staff sees them. */
export const staffUser = {
  ...ownUser,
  role: user.role,
  banned: user.banned,
  banReason: user.banReason,
  banExpires: user.banExpires,
};

/** Users whose id, or the beginning of whose name or address, is `search`. */
export function matches(search: string): SQL | undefined {
  const text = search.toLowerCase();
  const start = `${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
  return or(like(user.email, start), like(sql`lower(${user.name})`, start), eq(user.id, text));
}

/** How the user signs in and where, without any secret. */
export function findAccess(tx: Tx, userId: string) {
  return Promise.all([
    tx.select(ownSession).from(session).where(eq(session.userId, userId)).orderBy(desc(session.id)).limit(100),
    tx.select(ownIdentity).from(identity).where(eq(identity.userId, userId)).orderBy(identity.id).limit(100),
    tx.select(ownPasskey).from(passkey).where(eq(passkey.userId, userId)).orderBy(passkey.id).limit(100),
  ]);
}
