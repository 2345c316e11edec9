import { and, eq, isNull, or, relations, type SQL, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  index,
  jsonb,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { access } from "./access.ts";
import { idColumn, idText, instant, oneOf, timestamps } from "./columns.ts";
import { user } from "./identity.ts";
import { organization } from "./organizations.ts";
import { admin, authenticated, authKey, authOrg, authResolver, authUid, service, support } from "./roles.ts";

export const apiKeyPrefixes = ["fl_live", "fl_test"] as const;
export type ApiKeyPrefix = (typeof apiKeyPrefixes)[number];

export const usagePeriods = ["minute", "hour", "day", "month"] as const;
export type UsagePeriod = (typeof usagePeriods)[number];

/** What one call of a procedure through an API key counts as. */
export const apiCallMetric = "api_call";

/** TypeID prefixes of this domain's tables. */
export const apiKeysPrefixes = { apiKey: "key", usageRecord: "use", usageEvent: "evt", usageLimit: "lim" } as const;

const everything = { using: sql`true`, withCheck: sql`true` };

/** A person or an organization, never both. */
function owner() {
  return {
    userId: idText().references(() => user.id, { onDelete: "cascade" }),
    organizationId: idText().references(() => organization.id, { onDelete: "cascade" }),
  };
}

interface Owned {
  userId: AnyPgColumn;
  organizationId: AnyPgColumn;
}

const oneOwner = ({ userId, organizationId }: Owned) => sql`num_nonnulls(${userId}, ${organizationId}) = 1`;
const owned = ({ userId, organizationId }: Owned) => or(eq(userId, authUid), eq(organizationId, authOrg)) as SQL;
const metricCheck = (metric: AnyPgColumn) => sql`${metric} ~ '^[a-z][a-z0-9_.]{0,49}$'`;

/** A secret by which programs call the API. Of the secret itself only a hash is kept. */
export const apiKey = pgTable(
  "api_key",
  {
    id: idColumn(apiKeysPrefixes.apiKey),
    ...owner(),
    name: text().notNull(),
    prefix: text({ enum: apiKeyPrefixes }).notNull(),
    lastFour: text().notNull(),
    /** SHA-256 of the secret, base64url. */
    keyHash: idText().notNull(),
    scopes: text().array().notNull(),
    expiresAt: instant(),
    revokedAt: instant(),
    lastUsedAt: instant(),
    /** Whose rights the key has, at most. */
    createdBy: idText().references(() => user.id, { onDelete: "set null" }),
    /** The key that took its place, while this one runs out. */
    replacedBy: idText(),
    ...timestamps(),
  },
  (table) => [
    uniqueIndex("api_key_hash_unique").on(table.keyHash),
    index("api_key_user_idx").on(table.userId, table.id),
    index("api_key_organization_idx").on(table.organizationId, table.id),
    index("api_key_created_by_idx").on(table.createdBy),
    index("api_key_expires_at_idx").on(table.expiresAt).where(sql`${table.expiresAt} is not null`),
    index("api_key_revoked_at_idx").on(table.revokedAt).where(sql`${table.revokedAt} is not null`),
    check("api_key_owner_check", oneOwner(table)),
    check("api_key_name_check", sql`char_length(${table.name}) between 1 and 100`),
    check("api_key_prefix_check", oneOf(table.prefix, apiKeyPrefixes)),
    check("api_key_last_four_check", sql`char_length(${table.lastFour}) = 4`),
    check("api_key_hash_check", sql`${table.keyHash} ~ '^[A-Za-z0-9_-]{43}$'`),
    pgPolicy("api_key_resolver_policy", { for: "select", to: authResolver, using: sql`true` }),
    pgPolicy("api_key_view_policy", {
      for: "select",
      to: authenticated,
      using: and(owned(table), isNull(authKey)) as SQL,
    }),
    pgPolicy("api_key_insert_policy", {
      for: "insert",
      to: authenticated,
      withCheck: and(owned(table), isNull(authKey), eq(table.createdBy, authUid)) as SQL,
    }),
    pgPolicy("api_key_update_policy", {
      for: "update",
      to: authenticated,
      using: and(owned(table), isNull(authKey)) as SQL,
      withCheck: and(owned(table), isNull(authKey)) as SQL,
    }),
    pgPolicy("api_key_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("api_key_service_policy", { to: service, ...everything }),
  ],
);

const shown = [
  "id",
  "userId",
  "organizationId",
  "name",
  "prefix",
  "lastFour",
  "scopes",
  "expiresAt",
  "revokedAt",
  "lastUsedAt",
  "createdBy",
  "replacedBy",
  "createdAt",
  "updatedAt",
] as const;

export const apiKeyAccess = access(apiKey, {
  auth_resolver: {
    select: ["id", "userId", "organizationId", "keyHash", "scopes", "expiresAt", "revokedAt", "createdBy"],
  },
  authenticated: {
    select: shown,
    insert: "all",
    update: ["name", "scopes", "expiresAt", "revokedAt", "createdBy", "replacedBy", "updatedAt"],
  },
  support: { select: shown },
  admin: { select: shown },
  service: { select: shown, update: ["lastUsedAt", "updatedAt"], delete: true },
});

/** What was used, summed up by key, metric, UTC day and dimension. Outlives the key, so it has no foreign key to it. */
export const usageRecord = pgTable(
  "usage_record",
  {
    id: idColumn(apiKeysPrefixes.usageRecord),
    ...owner(),
    keyId: idText().notNull(),
    metric: text().notNull(),
    quantity: bigint({ mode: "number" }).notNull(),
    /** Start of the UTC day. */
    periodStart: instant().notNull(),
    dimension: jsonb().$type<Record<string, string>>().notNull().default({}),
    ...timestamps(),
  },
  (table) => [
    uniqueIndex("usage_record_key_unique").on(table.keyId, table.metric, table.periodStart, table.dimension),
    index("usage_record_user_idx").on(table.userId, table.periodStart, table.keyId, table.metric),
    index("usage_record_organization_idx").on(table.organizationId, table.periodStart, table.keyId, table.metric),
    index("usage_record_period_start_idx").on(table.periodStart),
    check("usage_record_owner_check", oneOwner(table)),
    check("usage_record_metric_check", metricCheck(table.metric)),
    check("usage_record_quantity_check", sql`${table.quantity} between 1 and 9007199254740991`),
    pgPolicy("usage_record_view_policy", { for: "select", to: authenticated, using: owned(table) }),
    pgPolicy("usage_record_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("usage_record_service_policy", { to: service, ...everything }),
  ],
);

export const usageRecordAccess = access(usageRecord, {
  authenticated: { select: "all" },
  support: { select: "all" },
  admin: { select: "all" },
  service: { select: "all", insert: "all", update: ["quantity", "updatedAt"], delete: true },
});

/** Messages that have been counted, kept longer than the queue may deliver one again. */
export const usageEvent = pgTable(
  "usage_event",
  { id: idColumn(apiKeysPrefixes.usageEvent), createdAt: instant().notNull().defaultNow() },
  (table) => [
    index("usage_event_created_idx").on(table.createdAt),
    pgPolicy("usage_event_service_policy", { to: service, ...everything }),
  ],
);

export const usageEventAccess = access(usageEvent, { service: { select: "all", insert: "all", delete: true } });

/** How much of a metric an owner may use in a period. A hard limit refuses what is over it, a soft one warns. */
export const usageLimit = pgTable(
  "usage_limit",
  {
    id: idColumn(apiKeysPrefixes.usageLimit),
    ...owner(),
    metric: text().notNull(),
    period: text({ enum: usagePeriods }).notNull(),
    max: bigint({ mode: "number" }).notNull(),
    hard: boolean().notNull().default(true),
    ...timestamps(),
  },
  (table) => [
    uniqueIndex("usage_limit_user_unique")
      .on(table.userId, table.metric, table.period, table.hard)
      .where(sql`${table.userId} is not null`),
    uniqueIndex("usage_limit_organization_unique")
      .on(table.organizationId, table.metric, table.period, table.hard)
      .where(sql`${table.organizationId} is not null`),
    check("usage_limit_owner_check", oneOwner(table)),
    check("usage_limit_metric_check", metricCheck(table.metric)),
    check("usage_limit_period_check", oneOf(table.period, usagePeriods)),
    check("usage_limit_max_check", sql`${table.max} between 0 and 9007199254740991`),
    pgPolicy("usage_limit_resolver_policy", { for: "select", to: authResolver, using: sql`true` }),
    pgPolicy("usage_limit_view_policy", { for: "select", to: authenticated, using: owned(table) }),
    pgPolicy("usage_limit_view_support_policy", { for: "select", to: support, using: sql`true` }),
    pgPolicy("usage_limit_admin_policy", { to: admin, ...everything }),
    pgPolicy("usage_limit_service_policy", { to: service, ...everything }),
  ],
);

export const usageLimitAccess = access(usageLimit, {
  auth_resolver: { select: ["userId", "organizationId", "metric", "period", "max", "hard"] },
  authenticated: { select: "all" },
  support: { select: "all" },
  admin: { select: "all", insert: "all", update: ["max", "updatedAt"], delete: true },
  service: { select: "all", insert: "all", update: ["max", "updatedAt"], delete: true },
});

/** How much of a period has been used. Counted by `auth.consume_key` alone, for owners who have a limit. */
export const usageCounter = pgTable(
  "usage_counter",
  {
    /** Id of the user or of the organization. */
    owner: idText().notNull(),
    metric: text().notNull(),
    period: text({ enum: usagePeriods }).notNull(),
    periodStart: instant().notNull(),
    endsAt: instant().notNull(),
    used: bigint({ mode: "number" }).notNull(),
  },
  (table) => [
    primaryKey({ name: "usage_counter_pkey", columns: [table.owner, table.metric, table.period, table.periodStart] }),
    index("usage_counter_ends_at_idx").on(table.endsAt),
    check("usage_counter_period_check", oneOf(table.period, usagePeriods)),
    pgPolicy("usage_counter_resolver_policy", { to: authResolver, ...everything }),
    pgPolicy("usage_counter_view_policy", {
      for: "select",
      to: authenticated,
      using: or(eq(table.owner, authUid), eq(table.owner, authOrg)) as SQL,
    }),
    pgPolicy("usage_counter_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("usage_counter_service_policy", { to: service, ...everything }),
  ],
);

export const usageCounterAccess = access(usageCounter, {
  auth_resolver: { select: "all", insert: "all", update: ["used"] },
  authenticated: { select: "all" },
  support: { select: "all" },
  admin: { select: "all" },
  service: { select: "all", delete: true },
});

export const apiKeyRelations = relations(apiKey, ({ one }) => ({
  user: one(user, { fields: [apiKey.userId], references: [user.id], relationName: "apiKeyUser" }),
  organization: one(organization, { fields: [apiKey.organizationId], references: [organization.id] }),
  creator: one(user, { fields: [apiKey.createdBy], references: [user.id], relationName: "apiKeyCreator" }),
}));
export const usageRecordRelations = relations(usageRecord, ({ one }) => ({
  user: one(user, { fields: [usageRecord.userId], references: [user.id] }),
  organization: one(organization, { fields: [usageRecord.organizationId], references: [organization.id] }),
  key: one(apiKey, { fields: [usageRecord.keyId], references: [apiKey.id] }),
}));
export const usageEventRelations = relations(usageEvent, () => ({}));
export const usageLimitRelations = relations(usageLimit, ({ one }) => ({
  user: one(user, { fields: [usageLimit.userId], references: [user.id] }),
  organization: one(organization, { fields: [usageLimit.organizationId], references: [organization.id] }),
}));
export const usageCounterRelations = relations(usageCounter, () => ({}));

export type ApiKey = typeof apiKey.$inferSelect;
export type NewApiKey = typeof apiKey.$inferInsert;
export type UsageRecord = typeof usageRecord.$inferSelect;
export type NewUsageRecord = typeof usageRecord.$inferInsert;
export type UsageEvent = typeof usageEvent.$inferSelect;
export type NewUsageEvent = typeof usageEvent.$inferInsert;
export type UsageLimit = typeof usageLimit.$inferSelect;
export type NewUsageLimit = typeof usageLimit.$inferInsert;
export type UsageCounter = typeof usageCounter.$inferSelect;
export type NewUsageCounter = typeof usageCounter.$inferInsert;
