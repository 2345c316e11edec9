import { eq, relations, sql } from "drizzle-orm";
import { check, index, jsonb, pgPolicy, pgTable, text, unique } from "drizzle-orm/pg-core";
import { access } from "./access.ts";
import { idColumn, idText, oneOf, softDelete, timestamps } from "./columns.ts";
import { user } from "./identity.ts";
import { admin, authenticated, authOrg, authResolver, authUid, service, support } from "./roles.ts";

export const memberRoles = ["owner", "admin", "member", "viewer"] as const;
export type MemberRole = (typeof memberRoles)[number];

/** TypeID prefixes of this domain's tables. */
export const organizationPrefixes = { organization: "org", member: "mem" } as const;

/** The tenant: a workspace or company. */
export const organization = pgTable(
  "organization",
  {
    id: idColumn(organizationPrefixes.organization),
    name: text().notNull(),
    slug: text().notNull(),
    logo: text(),
    metadata: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    ...softDelete(),
    ...timestamps(),
  },
  (table) => [
    unique("organization_slug_unique").on(table.slug),
    pgPolicy("organization_resolver_policy", { for: "select", to: authResolver, using: sql`true` }),
    pgPolicy("organization_view_own_policy", { for: "select", to: authenticated, using: eq(table.id, authOrg) }),
    pgPolicy("organization_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("organization_service_policy", { for: "select", to: service, using: sql`true` }),
  ],
);

export const organizationAccess = access(organization, {
  auth_resolver: { select: ["id", "deletedAt"] },
  authenticated: { select: "all" },
  support: { select: "all" },
  admin: { select: "all" },
  service: { select: "all" },
});

/** A user's place in an organization. */
export const member = pgTable(
  "member",
  {
    id: idColumn(organizationPrefixes.member),
    organizationId: idText()
      .notNull()
      .references(() => organization.id, { onDelete: "cascade" }),
    userId: idText()
      .notNull()
      .references(() => user.id, { onDelete: "cascade" }),
    role: text({ enum: memberRoles }).notNull().default("member"),
    ...timestamps(),
  },
  (table) => [
    unique("member_organization_user_unique").on(table.organizationId, table.userId),
    index("member_user_idx").on(table.userId),
    check("member_role_check", oneOf(table.role, memberRoles)),
    pgPolicy("member_resolver_policy", { for: "select", to: authResolver, using: sql`true` }),
    pgPolicy("member_view_policy", {
      for: "select",
      to: authenticated,
      using: sql`${eq(table.organizationId, authOrg)} or ${eq(table.userId, authUid)}`,
    }),
    pgPolicy("member_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("member_service_policy", { for: "select", to: service, using: sql`true` }),
  ],
);

export const memberAccess = access(member, {
  auth_resolver: { select: ["organizationId", "userId", "role"] },
  authenticated: { select: "all" },
  support: { select: "all" },
  admin: { select: "all" },
  service: { select: "all" },
});

export const organizationRelations = relations(organization, ({ many }) => ({ members: many(member) }));
export const memberRelations = relations(member, ({ one }) => ({
  organization: one(organization, { fields: [member.organizationId], references: [organization.id] }),
  user: one(user, { fields: [member.userId], references: [user.id] }),
}));

export type Organization = typeof organization.$inferSelect;
export type NewOrganization = typeof organization.$inferInsert;
export type Member = typeof member.$inferSelect;
export type NewMember = typeof member.$inferInsert;
