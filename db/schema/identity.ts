import { eq, relations, type SQL, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  index,
  integer,
  pgPolicy,
  pgTable,
  text,
  unique,
} from "drizzle-orm/pg-core";
import { access } from "./access.ts";
import { idColumn, idText, instant, oneOf, timestamps } from "./columns.ts";
import { admin, appDirect, authenticated, authResolver, authUid, service, support } from "./roles.ts";

export const platformRoles = ["user", "support", "admin"] as const;
export type PlatformRole = (typeof platformRoles)[number];

/** TypeID prefixes of this domain's tables. */
export const identityPrefixes = {
  user: "user",
  session: "sess",
  identity: "idn",
  verification: "vrf",
  rateLimit: "rl",
  passkey: "psk",
  twoFactor: "tfa",
} as const;

const everything = { using: sql`true`, withCheck: sql`true` };

export const user = pgTable(
  "user",
  {
    id: idColumn(identityPrefixes.user),
    name: text().notNull(),
    email: text().notNull(),
    emailVerified: boolean().notNull().default(false),
    image: text(),
    isAnonymous: boolean().notNull().default(false),
    role: text({ enum: platformRoles }).notNull().default("user"),
    banned: boolean().notNull().default(false),
    banReason: text(),
    banExpires: instant(),
    twoFactorEnabled: boolean().notNull().default(false),
    ...timestamps(),
  },
  (table) => [
    unique("user_email_unique").on(table.email),
    // The target of foreign keys that keep a copy of the address in step.
    unique("user_id_email_unique").on(table.id, table.email),
    // Staff search by how an address or a name begins.
    index("user_email_search_idx").on(sql`${table.email} text_pattern_ops`),
    index("user_name_search_idx").on(sql`lower(${table.name}) text_pattern_ops`),
    check("user_email_lower_check", sql`${table.email} = lower(${table.email})`),
    check("user_role_check", oneOf(table.role, platformRoles)),
    pgPolicy("user_auth_flows_policy", { to: appDirect, ...everything }),
    pgPolicy("user_resolver_policy", { for: "select", to: authResolver, using: sql`true` }),
    pgPolicy("user_external_policy", { for: "insert", to: authResolver, withCheck: sql`true` }),
    pgPolicy("user_view_own_policy", { for: "select", to: authenticated, using: eq(table.id, authUid) }),
    pgPolicy("user_update_own_policy", {
      for: "update",
      to: authenticated,
      using: eq(table.id, authUid),
      withCheck: eq(table.id, authUid),
    }),
    pgPolicy("user_delete_own_policy", { for: "delete", to: authenticated, using: eq(table.id, authUid) }),
    pgPolicy("user_view_support_policy", { for: "select", to: support, using: sql`true` }),
    pgPolicy("user_admin_policy", { to: admin, ...everything }),
    pgPolicy("user_service_policy", { for: "select", to: service, using: sql`true` }),
  ],
);

export const userAccess = access(user, {
  app_direct: { select: "all", insert: "all", update: "all", delete: true },
  auth_resolver: { select: "all", insert: ["id", "name", "email", "emailVerified"] },
  authenticated: {
    select: [
      "id",
      "name",
      "email",
      "emailVerified",
      "image",
      "isAnonymous",
      "twoFactorEnabled",
      "createdAt",
      "updatedAt",
    ],
    update: ["name", "image", "updatedAt"],
    delete: true,
  },
  support: { select: "all" },
  admin: { select: "all", update: "all", delete: true },
  service: { select: "all" },
});

type UserColumn = { userId: AnyPgColumn };
type SessionColumns = UserColumn & { impersonatedBy: AnyPgColumn };

const notBanned = sql`not (${user.banned} and (${user.banExpires} is null or ${user.banExpires} > now()))`;

/** A banned user has no sessions, whatever rows there are; staff cannot be impersonated. */
function ofAllowedUser({ userId, impersonatedBy }: SessionColumns): SQL {
  return sql`exists (select from ${user} where ${user.id} = ${userId} and ${notBanned} and (${impersonatedBy} is null or ${user.role} = 'user'))`;
}

/** Acting as another user lasts as long as whoever does it is an admin. */
function ofAllowedActor({ impersonatedBy }: SessionColumns): SQL {
  return sql`(${impersonatedBy} is null or exists (select from ${user} where ${user.id} = ${impersonatedBy} and ${user.role} = 'admin' and ${notBanned}))`;
}

/** How long an admin may act as another user, in minutes. */
export const impersonationMinutes = 60;

export const session = pgTable(
  "session",
  {
    id: idColumn(identityPrefixes.session),
    token: text().notNull(),
    userId: idText()
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    expiresAt: instant().notNull(),
    ipAddress: text(),
    userAgent: text(),
    // No foreign key: the caller is checked against `member` at every request, so a stale value opens nothing.
    activeOrganizationId: idText(),
    impersonatedBy: idText().references(() => user.id, { onDelete: "cascade" }),
    ...timestamps(),
  },
  (table) => [
    unique("session_token_unique").on(table.token),
    index("session_user_idx").on(table.userId),
    index("session_impersonated_by_idx").on(table.impersonatedBy),
    check(
      "session_impersonation_check",
      sql`${table.impersonatedBy} is null or ${table.expiresAt} <= ${table.createdAt} + interval '60 minutes'`,
    ),
    // Who acts as another user can neither change how that user signs in nor prolong the session. Expired ones are swept.
    pgPolicy("session_auth_flows_policy", {
      to: appDirect,
      using: sql`${table.expiresAt} <= now() or (${table.impersonatedBy} is null and ${ofAllowedUser(table)})`,
      withCheck: sql`${table.impersonatedBy} is null`,
    }),
    pgPolicy("session_resolver_policy", {
      for: "select",
      to: authResolver,
      using: sql`${ofAllowedUser(table)} and ${ofAllowedActor(table)}`,
    }),
    pgPolicy("session_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("session_impersonate_policy", {
      for: "insert",
      to: admin,
      withCheck: sql`${table.impersonatedBy} = ${authUid} and ${ofAllowedUser(table)}`,
    }),
    pgPolicy("session_ban_policy", { for: "delete", to: admin, using: sql`true` }),
    pgPolicy("session_view_own_policy", { for: "select", to: authenticated, using: eq(table.userId, authUid) }),
    pgPolicy("session_update_own_policy", { for: "update", to: authenticated, using: eq(table.userId, authUid) }),
    pgPolicy("session_delete_own_policy", { for: "delete", to: authenticated, using: eq(table.userId, authUid) }),
  ],
);

const shownOfSession = [
  "id",
  "userId",
  "expiresAt",
  "ipAddress",
  "userAgent",
  "impersonatedBy",
  "createdAt",
  "updatedAt",
] as const;

export const sessionAccess = access(session, {
  app_direct: { select: "all", insert: "all", update: "all", delete: true },
  auth_resolver: { select: "all" },
  authenticated: {
    select: shownOfSession,
    update: ["activeOrganizationId", "updatedAt"],
    delete: true,
  },
  support: { select: shownOfSession },
  admin: {
    select: shownOfSession,
    insert: "all",
    delete: true,
  },
});

/** How a user signs in: a password, or an account at a provider (better-auth's "account"). */
export const identity = pgTable(
  "identity",
  {
    id: idColumn(identityPrefixes.identity),
    userId: idText()
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    providerId: text().notNull(),
    accountId: text().notNull(),
    accessToken: text(),
    refreshToken: text(),
    idToken: text(),
    accessTokenExpiresAt: instant(),
    refreshTokenExpiresAt: instant(),
    scope: text(),
    password: text(),
    ...timestamps(),
  },
  (table) => [
    unique("identity_provider_account_unique").on(table.providerId, table.accountId),
    index("identity_user_idx").on(table.userId),
    pgPolicy("identity_auth_flows_policy", { to: appDirect, ...everything }),
    pgPolicy("identity_resolver_policy", { to: authResolver, ...everything }),
    pgPolicy("identity_view_own_policy", { for: "select", to: authenticated, using: eq(table.userId, authUid) }),
    pgPolicy("identity_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
  ],
);

const shownOfIdentity = ["id", "userId", "providerId", "accountId", "scope", "createdAt", "updatedAt"] as const;

export const identityAccess = access(identity, {
  app_direct: { select: "all", insert: "all", update: "all", delete: true },
  auth_resolver: {
    select: ["userId", "providerId", "accountId"],
    insert: ["id", "userId", "providerId", "accountId"],
  },
  authenticated: { select: shownOfIdentity },
  support: { select: shownOfIdentity },
  admin: { select: shownOfIdentity },
});

/** A WebAuthn credential: the public half of a key that never leaves its owner's device. */
export const passkey = pgTable(
  "passkey",
  {
    id: idColumn(identityPrefixes.passkey),
    name: text(),
    publicKey: text().notNull(),
    userId: idText()
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    credentialID: text().notNull(),
    counter: bigint({ mode: "number" }).notNull(),
    deviceType: text().notNull(),
    backedUp: boolean().notNull(),
    transports: text(),
    aaguid: text(),
    ...timestamps(),
  },
  (table) => [
    unique("passkey_credential_id_unique").on(table.credentialID),
    index("passkey_user_idx").on(table.userId),
    pgPolicy("passkey_auth_flows_policy", { to: appDirect, ...everything }),
    pgPolicy("passkey_view_own_policy", { for: "select", to: authenticated, using: eq(table.userId, authUid) }),
    pgPolicy("passkey_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
  ],
);

const shownOfPasskey = ["id", "userId", "name", "deviceType", "backedUp", "aaguid", "createdAt", "updatedAt"] as const;

export const passkeyAccess = access(passkey, {
  app_direct: { select: "all", insert: "all", update: "all", delete: true },
  authenticated: { select: shownOfPasskey },
  support: { select: shownOfPasskey },
  admin: { select: shownOfPasskey },
});

/** A user's second factor: secret and backup codes, both encrypted with the worker's secret. */
export const twoFactor = pgTable(
  "two_factor",
  {
    id: idColumn(identityPrefixes.twoFactor),
    secret: text().notNull(),
    backupCodes: text().notNull(),
    userId: idText()
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    verified: boolean().notNull().default(true),
    failedVerificationCount: integer().notNull().default(0),
    lockedUntil: instant(),
    ...timestamps(),
  },
  (table) => [
    unique("two_factor_user_unique").on(table.userId),
    pgPolicy("two_factor_auth_flows_policy", { to: appDirect, ...everything }),
  ],
);

export const twoFactorAccess = access(twoFactor, {
  app_direct: { select: "all", insert: "all", update: "all", delete: true },
});

/** Pending proofs: e-mail confirmation, password reset, one-time codes (hashed). */
export const verification = pgTable(
  "verification",
  {
    id: idColumn(identityPrefixes.verification),
    identifier: text().notNull(),
    value: text().notNull(),
    expiresAt: instant().notNull(),
    ...timestamps(),
  },
  (table) => [
    index("verification_identifier_idx").on(table.identifier),
    pgPolicy("verification_auth_flows_policy", { to: appDirect, ...everything }),
  ],
);

export const verificationAccess = access(verification, {
  app_direct: { select: "all", insert: "all", update: "all", delete: true },
});

/** Attempts per address and path, counted by the sign-in flows. */
export const rateLimit = pgTable(
  "rate_limit",
  {
    id: idColumn(identityPrefixes.rateLimit),
    key: text().notNull(),
    count: integer().notNull(),
    lastRequest: bigint({ mode: "number" }).notNull(),
  },
  (table) => [
    unique("rate_limit_key_unique").on(table.key),
    pgPolicy("rate_limit_auth_flows_policy", { to: appDirect, ...everything }),
  ],
);

export const rateLimitAccess = access(rateLimit, {
  app_direct: { select: "all", insert: "all", update: "all", delete: true },
});

export const userRelations = relations(user, ({ many }) => ({
  sessions: many(session, { relationName: "sessionUser" }),
  identities: many(identity),
  passkeys: many(passkey),
}));
export const sessionRelations = relations(session, ({ one }) => ({
  user: one(user, { fields: [session.userId], references: [user.id], relationName: "sessionUser" }),
  impersonator: one(user, { fields: [session.impersonatedBy], references: [user.id] }),
}));
export const identityRelations = relations(identity, ({ one }) => ({
  user: one(user, { fields: [identity.userId], references: [user.id] }),
}));
export const passkeyRelations = relations(passkey, ({ one }) => ({
  user: one(user, { fields: [passkey.userId], references: [user.id] }),
}));
export const twoFactorRelations = relations(twoFactor, ({ one }) => ({
  user: one(user, { fields: [twoFactor.userId], references: [user.id] }),
}));
export const verificationRelations = relations(verification, () => ({}));
export const rateLimitRelations = relations(rateLimit, () => ({}));

export type User = typeof user.$inferSelect;
export type NewUser = typeof user.$inferInsert;
export type Session = typeof session.$inferSelect;
export type NewSession = typeof session.$inferInsert;
export type Identity = typeof identity.$inferSelect;
export type NewIdentity = typeof identity.$inferInsert;
export type Passkey = typeof passkey.$inferSelect;
export type NewPasskey = typeof passkey.$inferInsert;
export type TwoFactor = typeof twoFactor.$inferSelect;
export type NewTwoFactor = typeof twoFactor.$inferInsert;
export type Verification = typeof verification.$inferSelect;
export type NewVerification = typeof verification.$inferInsert;
export type RateLimit = typeof rateLimit.$inferSelect;
export type NewRateLimit = typeof rateLimit.$inferInsert;
