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

export const sessionIsolation = isolation([schema.session, schema.sessionAccess], {
  owner: { user: "userId" },
  rows: [
    { id: "sess_ada", token: "ada", userId: userOf("ada"), expiresAt: later },
    { id: "sess_ada_as", token: "ada as", userId: userOf("ada"), expiresAt: later, impersonatedBy: userOf("max") },
    { id: "sess_cat", token: "cat", userId: userOf("cat"), expiresAt: later },
    { id: "sess_eve", token: "eve", userId: userOf("eve"), expiresAt: later },
  ],
  reaches: { app_direct: all, auth_resolver: all, authenticated: own("userId") },
  goes: (row, { id }) => row.userId === id || row.impersonatedBy === id,
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
  reaches: { app_direct: all, authenticated: own("userId") },
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
