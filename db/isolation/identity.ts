import * as schema from "../schema/identity.ts";
import { all, isolation, own } from "./suite/declare.ts";
import { emailOf, isMember, isVerified, people, userOf } from "./suite/world.ts";

const later = new Date(Date.UTC(2100, 0));
const roles = { sue: "support", max: "admin" } as const;

export const userIsolation = isolation([schema.user, schema.userAccess], {
  owner: { user: "id" },
  rows: people.map((name) => ({
    id: userOf(name),
    name,
    email: emailOf(name),
    emailVerified: isVerified(userOf(name)),
    role: name === "sue" || name === "max" ? roles[name] : "user",
    banned: name === "nobody" || name === "guest",
    // The guest's ban is over.
    banExpires: name === "guest" ? new Date(0) : null,
  })),
  reaches: {
    app_direct: all,
    auth_resolver: all,
    authenticated: {
      // Oneself, and fellow members of the organization that the request speaks for.
      select: (row, actor) => own("id")(row, actor) || isMember(row.id, actor.org),
      update: own("id"),
      delete: own("id"),
    },
    support: all,
    admin: all,
    service: all,
  },
  equivalent: {
    "user_update_own_policy: with check (true)": "the id cannot be updated, so whoever passes `using` passes the check",
  },
});

type SessionRow = { userId: string; expiresAt: Date; impersonatedBy?: string | null | undefined };

const isStaff = (id: string) => id === userOf("sue") || id === userOf("max");
const mayBeActedAs = ({ userId }: SessionRow) => userId !== userOf("nobody") && !isStaff(userId);
const flows = (row: SessionRow) => row.expiresAt < later || (!row.impersonatedBy && row.userId !== userOf("nobody"));

const soon = new Date(later.getTime() - 3_600_000);
const acting = { createdAt: soon, expiresAt: later };

export const sessionIsolation = isolation([schema.session, schema.sessionAccess], {
  owner: { user: "userId" },
  rows: [
    { id: "sess_ada", token: "ada", userId: userOf("ada"), expiresAt: later },
    { id: "sess_ada_as", token: "ada as", userId: userOf("ada"), impersonatedBy: userOf("max"), ...acting },
    { id: "sess_ada_by_eve", token: "ada by eve", userId: userOf("ada"), impersonatedBy: userOf("eve"), ...acting },
    { id: "sess_sue_as", token: "sue as", userId: userOf("sue"), impersonatedBy: userOf("max"), ...acting },
    { id: "sess_cat", token: "cat", userId: userOf("cat"), expiresAt: later },
    { id: "sess_eve", token: "eve", userId: userOf("eve"), expiresAt: later },
    { id: "sess_sue", token: "sue", userId: userOf("sue"), expiresAt: later },
    { id: "sess_guest", token: "guest", userId: userOf("guest"), expiresAt: later },
    { id: "sess_nobody", token: "nobody", userId: userOf("nobody"), expiresAt: later },
    { id: "sess_nobody_old", token: "nobody old", userId: userOf("nobody"), expiresAt: new Date(0) },
  ],
  reaches: {
    // Sign-in flows find neither a banned user's sessions nor those in which an admin acts; they sweep expired ones.
    app_direct: { select: flows, update: flows, delete: flows, insert: (row) => !row.impersonatedBy },
    auth_resolver: (row) =>
      row.userId !== userOf("nobody") &&
      (!row.impersonatedBy || (mayBeActedAs(row) && row.impersonatedBy === userOf("max"))),
    authenticated: own("userId"),
    support: all,
    admin: {
      select: all,
      delete: all,
      insert: (row, { sub }) => row.impersonatedBy === sub && mayBeActedAs(row),
    },
  },
  goes: (row, { id }) => row.userId === id || row.impersonatedBy === id,
  pointsFreely: { impersonatedBy: "an admin acts as users of any tenant" },
  equivalent: {
    "session_update_own_policy: with check (true)": "the owner of a session cannot be updated",
  },
});

export const identityIsolation = isolation([schema.identity, schema.identityAccess], {
  owner: { user: "userId" },
  rows: [
    { id: "idn_ada", userId: userOf("ada"), providerId: "credential", accountId: "ada", password: "hash" },
    { id: "idn_bob", userId: userOf("bob"), providerId: "github", accountId: "bob", accessToken: "secret" },
    { id: "idn_eve", userId: userOf("eve"), providerId: "credential", accountId: "eve", password: "hash" },
  ],
  reaches: {
    app_direct: all,
    auth_resolver: all,
    authenticated: own("userId"),
    support: all,
    admin: all,
  },
});

const device = { publicKey: "key", counter: 0, deviceType: "singleDevice", backedUp: false };

export const passkeyIsolation = isolation([schema.passkey, schema.passkeyAccess], {
  owner: { user: "userId" },
  rows: [
    { ...device, id: "psk_ada", userId: userOf("ada"), credentialID: "ada" },
    { ...device, id: "psk_eve", userId: userOf("eve"), credentialID: "eve" },
  ],
  reaches: { app_direct: all, authenticated: own("userId"), support: all, admin: all },
});

export const twoFactorIsolation = isolation([schema.twoFactor, schema.twoFactorAccess], {
  owner: { user: "userId" },
  rows: [
    { id: "tfa_ada", userId: userOf("ada"), secret: "encrypted", backupCodes: "encrypted" },
    { id: "tfa_eve", userId: userOf("eve"), secret: "encrypted", backupCodes: "encrypted" },
  ],
  reaches: { app_direct: all },
});

export const verificationIsolation = isolation([schema.verification, schema.verificationAccess], {
  rows: [
    { id: "vrf_1", identifier: "one", value: "hash", expiresAt: later },
    { id: "vrf_2", identifier: "two", value: "hash", expiresAt: later },
  ],
  reaches: { app_direct: all },
});

export const rateLimitIsolation = isolation([schema.rateLimit, schema.rateLimitAccess], {
  rows: [{ id: "rl_1", key: "1.2.3.4/sign-in", count: 1, lastRequest: 1 }],
  reaches: { app_direct: all },
});
