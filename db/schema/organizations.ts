import { eq, relations, type SQL, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { access } from "./access.ts";
import { idColumn, idText, instant, oneOf, softDelete, timestamps } from "./columns.ts";
import { user } from "./identity.ts";
import { admin, authenticated, authKey, authOrg, authResolver, authUid, service, support } from "./roles.ts";

export const memberRoles = ["owner", "admin", "member", "viewer"] as const;
export type MemberRole = (typeof memberRoles)[number];

export const invitationStatuses = ["pending", "accepted", "rejected", "cancelled", "expired"] as const;
export type InvitationStatus = (typeof invitationStatuses)[number];

/** Members that an organization may have until its plan says otherwise, which writes `memberLimit`. */
export const defaultMemberLimit = 100;

/** TypeID prefixes of this domain's tables. */
export const organizationPrefixes = {
  organization: "org",
  member: "mem",
  invitation: "inv",
  team: "team",
  auditLog: "aud",
} as const;

const everything = { using: sql`true`, withCheck: sql`true` };

function ofCallersOrganization({ organizationId }: { organizationId: AnyPgColumn }): SQL {
  return eq(organizationId, authOrg);
}

// An invitation speaks to whoever has proved to own its address.
const ownAddress = sql`(select ${user.email} from ${user} where ${user.id} = ${authUid} and ${user.emailVerified})`;

/** The tenant: a workspace or company. */
export const organization = pgTable(
  "organization",
  {
    id: idColumn(organizationPrefixes.organization),
    name: text().notNull(),
    slug: text().notNull(),
    logo: text(),
    metadata: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    memberLimit: integer().notNull().default(defaultMemberLimit),
    ...softDelete(),
    ...timestamps(),
  },
  (table) => [
    unique("organization_slug_unique").on(table.slug),
    index("organization_deleted_at_idx").on(table.deletedAt).where(sql`${table.deletedAt} is not null`),
    check("organization_slug_check", sql`${table.slug} ~ '^[a-z0-9-]{3,80}$'`),
    check("organization_name_check", sql`char_length(${table.name}) between 1 and 100`),
    check("organization_member_limit_check", sql`${table.memberLimit} > 0`),
    pgPolicy("organization_resolver_policy", { to: authResolver, ...everything }),
    pgPolicy("organization_view_own_policy", { for: "select", to: authenticated, using: eq(table.id, authOrg) }),
    pgPolicy("organization_update_policy", { for: "update", to: authenticated, using: eq(table.id, authOrg) }),
    pgPolicy("organization_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("organization_service_policy", { to: service, ...everything }),
  ],
);

export const organizationAccess = access(organization, {
  auth_resolver: {
    select: ["id", "name", "slug", "memberLimit", "deletedAt"],
    insert: ["id", "name", "slug", "logo", "metadata"],
    update: ["deletedAt", "updatedAt"],
  },
  authenticated: { select: "all", update: ["name", "slug", "logo", "metadata", "deletedAt", "updatedAt"] },
  support: { select: "all" },
  admin: { select: "all" },
  service: { select: "all", update: ["memberLimit", "updatedAt"], delete: true },
});

/** A user's place in an organization. Made by `auth.create_organization` and `auth.accept_invitation` alone. */
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
    unique("member_user_organization_unique").on(table.userId, table.organizationId),
    // The target of foreign keys, and the order of lists.
    unique("member_organization_unique").on(table.organizationId, table.id),
    check("member_role_check", oneOf(table.role, memberRoles)),
    pgPolicy("member_resolver_policy", { to: authResolver, ...everything }),
    pgPolicy("member_view_policy", {
      for: "select",
      to: authenticated,
      using: sql`${ofCallersOrganization(table)} or ${eq(table.userId, authUid)}`,
    }),
    pgPolicy("member_update_policy", { for: "update", to: authenticated, using: ofCallersOrganization(table) }),
    pgPolicy("member_delete_policy", { for: "delete", to: authenticated, using: ofCallersOrganization(table) }),
    pgPolicy("member_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("member_service_policy", { for: "select", to: service, using: sql`true` }),
  ],
);

export const memberAccess = access(member, {
  auth_resolver: {
    select: ["id", "organizationId", "userId", "role"],
    insert: ["id", "organizationId", "userId", "role"],
  },
  authenticated: { select: "all", update: ["role", "updatedAt"], delete: true },
  support: { select: "all" },
  admin: { select: "all" },
  service: { select: "all" },
});

export const team = pgTable(
  "team",
  {
    id: idColumn(organizationPrefixes.team),
    organizationId: idText()
      .notNull()
      .references(() => organization.id, { onDelete: "cascade" }),
    name: text().notNull(),
    ...timestamps(),
  },
  (table) => [
    unique("team_organization_unique").on(table.organizationId, table.id),
    unique("team_organization_name_unique").on(table.organizationId, table.name),
    check("team_name_check", sql`char_length(${table.name}) between 1 and 100`),
    pgPolicy("team_policy", {
      to: authenticated,
      using: ofCallersOrganization(table),
      withCheck: ofCallersOrganization(table),
    }),
    pgPolicy("team_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
  ],
);

export const teamAccess = access(team, {
  authenticated: { select: "all", insert: "all", update: ["name", "updatedAt"], delete: true },
  support: { select: "all" },
  admin: { select: "all" },
});

export const teamMember = pgTable(
  "team_member",
  {
    organizationId: idText().notNull(),
    teamId: idText().notNull(),
    memberId: idText().notNull(),
    createdAt: instant().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ name: "team_member_pkey", columns: [table.organizationId, table.teamId, table.memberId] }),
    foreignKey({
      name: "team_member_team_fk",
      columns: [table.organizationId, table.teamId],
      foreignColumns: [team.organizationId, team.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "team_member_member_fk",
      columns: [table.organizationId, table.memberId],
      foreignColumns: [member.organizationId, member.id],
    }).onDelete("cascade"),
    index("team_member_member_idx").on(table.organizationId, table.memberId),
    pgPolicy("team_member_resolver_policy", { for: "insert", to: authResolver, withCheck: sql`true` }),
    pgPolicy("team_member_policy", {
      to: authenticated,
      using: ofCallersOrganization(table),
      withCheck: ofCallersOrganization(table),
    }),
    pgPolicy("team_member_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
  ],
);

export const teamMemberAccess = access(teamMember, {
  auth_resolver: { insert: ["organizationId", "teamId", "memberId"] },
  authenticated: { select: "all", insert: "all", delete: true },
  support: { select: "all" },
  admin: { select: "all" },
});

/** A place offered to an e-mail address. Only its verified owner can take it; the link to it is no secret. */
export const invitation = pgTable(
  "invitation",
  {
    id: idColumn(organizationPrefixes.invitation),
    organizationId: idText()
      .notNull()
      .references(() => organization.id, { onDelete: "cascade" }),
    email: text().notNull(),
    role: text({ enum: memberRoles }).notNull(),
    teamId: idText(),
    status: text({ enum: invitationStatuses }).notNull().default("pending"),
    inviterId: idText().references(() => user.id, { onDelete: "set null" }),
    expiresAt: instant().notNull(),
    acceptedAt: instant(),
    rejectedAt: instant(),
    ...timestamps(),
  },
  (table) => [
    // Whoever deletes a team first takes it out of its invitations, so that none is lost.
    foreignKey({
      name: "invitation_team_fk",
      columns: [table.organizationId, table.teamId],
      foreignColumns: [team.organizationId, team.id],
    }).onDelete("cascade"),
    uniqueIndex("invitation_pending_unique")
      .on(table.organizationId, table.email)
      .where(sql`${table.status} = 'pending'`),
    index("invitation_organization_idx").on(table.organizationId, table.id),
    index("invitation_team_idx").on(table.organizationId, table.teamId),
    index("invitation_inviter_idx").on(table.inviterId),
    index("invitation_email_idx").on(table.email, table.id),
    index("invitation_expires_at_idx").on(table.expiresAt).where(sql`${table.status} = 'pending'`),
    check("invitation_email_lower_check", sql`${table.email} = lower(${table.email})`),
    check("invitation_role_check", oneOf(table.role, memberRoles)),
    check("invitation_status_check", oneOf(table.status, invitationStatuses)),
    pgPolicy("invitation_resolver_policy", { to: authResolver, ...everything }),
    pgPolicy("invitation_policy", {
      to: authenticated,
      using: ofCallersOrganization(table),
      withCheck: ofCallersOrganization(table),
    }),
    pgPolicy("invitation_view_addressed_policy", {
      for: "select",
      to: authenticated,
      using: sql`${table.email} = ${ownAddress}`,
    }),
    pgPolicy("invitation_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("invitation_service_policy", { to: service, ...everything }),
  ],
);

export const invitationAccess = access(invitation, {
  auth_resolver: {
    select: ["id", "organizationId", "email", "role", "teamId", "status", "expiresAt"],
    update: ["status", "acceptedAt", "rejectedAt", "updatedAt"],
  },
  authenticated: { select: "all", insert: "all", update: ["status", "teamId", "expiresAt", "updatedAt"] },
  support: { select: "all" },
  admin: { select: "all" },
  service: { select: "all", update: ["status", "updatedAt"] },
});

/** Who changed what. Rows are never changed or deleted, and outlive whatever they speak of: so no foreign keys. */
export const auditLog = pgTable(
  "audit_log",
  {
    id: idColumn(organizationPrefixes.auditLog),
    /** Null for what a person did for themselves. */
    organizationId: idText(),
    /** Null for the system, and for an organization's API key. */
    actorId: idText(),
    /** The API key that the change came through. */
    keyId: idText(),
    /** The staff member who acted as the actor. */
    impersonatorId: idText(),
    action: text().notNull(),
    target: idText().notNull(),
    before: jsonb().$type<Record<string, unknown>>(),
    after: jsonb().$type<Record<string, unknown>>(),
    requestId: text().notNull(),
    ip: text(),
    createdAt: instant().notNull().defaultNow(),
  },
  (table) => [
    index("audit_log_organization_idx").on(table.organizationId, table.id),
    index("audit_log_organization_actor_idx").on(table.organizationId, table.actorId, table.id),
    index("audit_log_organization_target_idx").on(table.organizationId, table.target, table.id),
    pgPolicy("audit_log_view_policy", { for: "select", to: authenticated, using: ofCallersOrganization(table) }),
    pgPolicy("audit_log_view_own_policy", {
      for: "select",
      to: authenticated,
      using: sql`${table.organizationId} is null and ${table.actorId} = ${authUid}`,
    }),
    pgPolicy("audit_log_write_policy", {
      for: "insert",
      to: authenticated,
      withCheck: sql`${table.keyId} is not distinct from ${authKey} and ${table.actorId} = ${authUid} and (${table.organizationId} is null or ${ofCallersOrganization(table)}
        or exists (select from ${member} where ${member.organizationId} = ${table.organizationId} and ${member.userId} = ${authUid})
        or exists (select from ${invitation} where ${invitation.organizationId} = ${table.organizationId} and ${invitation.email} = ${ownAddress}))`,
    }),
    pgPolicy("audit_log_write_key_policy", {
      for: "insert",
      to: authenticated,
      withCheck: sql`${table.keyId} = ${authKey} and ${table.actorId} is null and ${authUid} is null and ${ofCallersOrganization(table)}`,
    }),
    pgPolicy("audit_log_staff_policy", {
      to: [support, admin],
      using: sql`true`,
      withCheck: sql`${table.actorId} = ${authUid} and ${table.keyId} is null`,
    }),
    pgPolicy("audit_log_service_policy", { to: service, ...everything }),
  ],
);

export const auditLogAccess = access(auditLog, {
  authenticated: { select: "all", insert: "all" },
  support: { select: "all", insert: "all" },
  admin: { select: "all", insert: "all" },
  service: { select: "all", insert: "all" },
});

// Policies that look into a later table, or belong to a table of another file.

/** People see the organizations that they are members of, whichever one the request speaks for. */
export const organizationViewJoinedPolicy = pgPolicy("organization_view_joined_policy", {
  for: "select",
  to: authenticated,
  using: sql`exists (select from ${member} where ${member.organizationId} = ${organization.id} and ${member.userId} = ${authUid})`,
}).link(organization);

/** People see who has invited them. */
export const organizationViewInvitedPolicy = pgPolicy("organization_view_invited_policy", {
  for: "select",
  to: authenticated,
  using: sql`exists (select from ${invitation} where ${invitation.organizationId} = ${organization.id} and ${invitation.status} = 'pending' and ${invitation.email} = ${ownAddress})`,
}).link(organization);

/** A deleted organization can be nobody's claim, yet its owners restore it. */
export const organizationUpdateOwnedPolicy = pgPolicy("organization_update_owned_policy", {
  for: "update",
  to: authenticated,
  using: sql`exists (select from ${member} where ${member.organizationId} = ${organization.id} and ${member.userId} = ${authUid} and ${member.role} = 'owner')`,
}).link(organization);

/** Fellow members see each other, in the organization that the request speaks for. */
export const userViewFellowsPolicy = pgPolicy("user_view_fellows_policy", {
  for: "select",
  to: authenticated,
  using: sql`exists (select from ${member} where ${member.userId} = ${user.id} and ${member.organizationId} = ${authOrg})`,
}).link(user);

export const organizationRelations = relations(organization, ({ many }) => ({
  members: many(member),
  teams: many(team),
  invitations: many(invitation),
}));
export const memberRelations = relations(member, ({ one, many }) => ({
  organization: one(organization, { fields: [member.organizationId], references: [organization.id] }),
  user: one(user, { fields: [member.userId], references: [user.id] }),
  teams: many(teamMember),
}));
export const teamRelations = relations(team, ({ one, many }) => ({
  organization: one(organization, { fields: [team.organizationId], references: [organization.id] }),
  members: many(teamMember),
  invitations: many(invitation),
}));
export const teamMemberRelations = relations(teamMember, ({ one }) => ({
  team: one(team, {
    fields: [teamMember.organizationId, teamMember.teamId],
    references: [team.organizationId, team.id],
  }),
  member: one(member, {
    fields: [teamMember.organizationId, teamMember.memberId],
    references: [member.organizationId, member.id],
  }),
}));
export const invitationRelations = relations(invitation, ({ one }) => ({
  organization: one(organization, { fields: [invitation.organizationId], references: [organization.id] }),
  team: one(team, {
    fields: [invitation.organizationId, invitation.teamId],
    references: [team.organizationId, team.id],
  }),
  inviter: one(user, { fields: [invitation.inviterId], references: [user.id] }),
}));
export const auditLogRelations = relations(auditLog, () => ({}));

export type Organization = typeof organization.$inferSelect;
export type NewOrganization = typeof organization.$inferInsert;
export type Member = typeof member.$inferSelect;
export type NewMember = typeof member.$inferInsert;
export type Team = typeof team.$inferSelect;
export type NewTeam = typeof team.$inferInsert;
export type TeamMember = typeof teamMember.$inferSelect;
export type NewTeamMember = typeof teamMember.$inferInsert;
export type Invitation = typeof invitation.$inferSelect;
export type NewInvitation = typeof invitation.$inferInsert;
export type AuditLog = typeof auditLog.$inferSelect;
export type NewAuditLog = typeof auditLog.$inferInsert;
