import {
  and,
  auditLog,
  desc,
  eq,
  gt,
  gte,
  invitation,
  isNotNull,
  lt,
  member,
  organization,
  team,
  user,
} from "@repo/db";
import { notDeleted, withDeleted } from "@repo/db/schema/columns";
import { toPage } from "../../../core/pagination.ts";
import type { MemberContext, UserContext } from "../../../core/procedures.ts";
import type { AuditListInput, InvitationListInput, ListInput, MemberListInput, TeamListInput } from "../input.ts";
import { assertMay } from "../policy.ts";
import { auditDetail, invitationDetail, organizationDetail, standing, teamDetail, teamMemberIds } from "../queries.ts";

/** The caller's organizations, oldest first; with `deleted`, those that the caller can restore. */
export async function listOrganizations({ caller, rls }: UserContext, { limit, cursor, deleted }: ListInput) {
  const state = deleted
    ? and(withDeleted(organization), isNotNull(organization.deletedAt), eq(member.role, "owner"))
    : notDeleted(organization);
  const rows = await rls((tx) =>
    tx
      .select({ ...organizationDetail, role: member.role, memberId: member.id })
      .from(member)
      .innerJoin(organization, eq(organization.id, member.organizationId))
      .where(and(eq(member.userId, caller.user.id), state, cursor ? gt(member.organizationId, cursor) : undefined))
      .orderBy(member.organizationId)
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => row.id);
}

/** Everybody in the organization, oldest membership first. */
export async function listMembers({ caller, rls }: MemberContext, { limit, cursor }: MemberListInput) {
  const rows = await rls((tx) =>
    tx
      .select({ ...standing, name: user.name, email: user.email, image: user.image, createdAt: member.createdAt })
      .from(member)
      .innerJoin(user, eq(user.id, member.userId))
      .where(and(eq(member.organizationId, caller.organizationId), cursor ? gt(member.id, cursor) : undefined))
      .orderBy(member.id)
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => row.id);
}

/** Teams with the ids of their members, oldest first. */
export async function listTeams({ caller, rls }: MemberContext, { limit, cursor }: TeamListInput) {
  const rows = await rls((tx) =>
    tx
      .select({ ...teamDetail, memberIds: teamMemberIds })
      .from(team)
      .where(and(eq(team.organizationId, caller.organizationId), cursor ? gt(team.id, cursor) : undefined))
      .orderBy(team.id)
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => row.id);
}

/** Invitations, newest first. */
export async function listInvitations(ctx: MemberContext, { limit, cursor, status }: InvitationListInput) {
  assertMay(ctx.caller, "invitation.manage");
  const rows = await ctx.rls((tx) =>
    tx
      .select(invitationDetail)
      .from(invitation)
      .where(
        and(
          eq(invitation.organizationId, ctx.caller.organizationId),
          status ? eq(invitationDetail.status, status) : undefined,
          cursor ? lt(invitation.id, cursor) : undefined,
        ),
      )
      .orderBy(desc(invitation.id))
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => row.id);
}

/** Open invitations to the caller's verified address, newest first. */
export async function listOwnInvitations({ caller, rls }: UserContext) {
  if (!caller.user.emailVerified) return [];
  return rls((tx) =>
    tx
      .select({
        id: invitation.id,
        role: invitation.role,
        expiresAt: invitation.expiresAt,
        organization: {
          id: organization.id,
          name: organization.name,
          slug: organization.slug,
          logo: organization.logo,
        },
      })
      .from(invitation)
      .innerJoin(organization, eq(organization.id, invitation.organizationId))
      .where(
        and(
          eq(invitation.email, caller.user.email),
          eq(invitation.status, "pending"),
          gt(invitation.expiresAt, new Date()),
          notDeleted(organization),
        ),
      )
      .orderBy(desc(invitation.id))
      .limit(100),
  );
}

/** What was done in the organization, newest first. */
export async function listAudit(ctx: MemberContext, input: AuditListInput) {
  assertMay(ctx.caller, "audit.read");
  const { limit, cursor, actorId, target, action, since, until } = input;
  const rows = await ctx.rls((tx) =>
    tx
      .select(auditDetail)
      .from(auditLog)
      .where(
        and(
          eq(auditLog.organizationId, ctx.caller.organizationId),
          actorId ? eq(auditLog.actorId, actorId) : undefined,
          target ? eq(auditLog.target, target) : undefined,
          action ? eq(auditLog.action, action) : undefined,
          since ? gte(auditLog.createdAt, since) : undefined,
          until ? lt(auditLog.createdAt, until) : undefined,
          cursor ? lt(auditLog.id, cursor) : undefined,
        ),
      )
      .orderBy(desc(auditLog.id))
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => row.id);
}
