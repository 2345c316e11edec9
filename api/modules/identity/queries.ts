import { and, desc, eq, gt, identity, passkey, session, user } from "@repo/db";
import type { Tx } from "../../core/database/doors.ts";

/** A user as they see themselves. */
export const ownUser = {
  id: user.id,
  name: user.name,
  email: user.email,
  emailVerified: user.emailVerified,
  image: user.image,
  isAnonymous: user.isAnonymous,
  twoFactorEnabled: user.twoFactorEnabled,
  createdAt: user.createdAt,
  updatedAt: user.updatedAt,
};

export const ownSession = {
  id: session.id,
  ipAddress: session.ipAddress,
  userAgent: session.userAgent,
  impersonatedBy: session.impersonatedBy,
  createdAt: session.createdAt,
  expiresAt: session.expiresAt,
};

export const ownIdentity = {
  id: identity.id,
  providerId: identity.providerId,
  accountId: identity.accountId,
  scope: identity.scope,
  createdAt: identity.createdAt,
};

export const ownPasskey = {
  id: passkey.id,
  name: passkey.name,
  deviceType: passkey.deviceType,
  backedUp: passkey.backedUp,
  createdAt: passkey.createdAt,
};

/** The user's sessions that have not expired, newest first. */
export function findSessions(tx: Tx, userId: string) {
  return tx
    .select(ownSession)
    .from(session)
    .where(and(eq(session.userId, userId), gt(session.expiresAt, new Date())))
    .orderBy(desc(session.id));
}

/** How the user signs in, without any secret. */
export function findIdentities(tx: Tx, userId: string) {
  return tx.select(ownIdentity).from(identity).where(eq(identity.userId, userId)).orderBy(identity.id);
}

/** The user's passkeys, without their keys. */
export function findPasskeys(tx: Tx, userId: string) {
  return tx.select(ownPasskey).from(passkey).where(eq(passkey.userId, userId)).orderBy(passkey.id);
}
