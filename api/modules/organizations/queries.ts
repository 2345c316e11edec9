import { and, auditLog, eq, invitation, member, organization, sql, team, teamMember } from "@repo/db";
import { notDeleted } from "@repo/db/schema/columns";
import type { Tx } from "../../core/database/doors.ts";
import { qualified } from "../../core/database/rows.ts";

/** An organization as its members see it. */
export const organizationDetail = {
  id: organization.id,
  name: organization.name,
  slug: organization.slug,
  logo: organization.logo,
  metadata: organization.metadata,
  memberLimit: organization.memberLimit,
  createdAt: organization.createdAt,
  updatedAt: organization.updatedAt,
  deletedAt: organization.deletedAt,
};

/** What somebody is in an organization. */
export const standing = { id: member.id, userId: member.userId, role: member.role };

/** An invitation as the organization sees it; one that nobody took up in time reads as expired at once. */
export const invitationDetail = {
  id: invitation.id,
  email: invitation.email,
  role: invitation.role,
  teamId: invitation.teamId,
  status: sql<
    typeof invitation.$inferSelect.status
  >`case when ${invitation.status} = 'pending' and ${invitation.expiresAt} <= now() then 'expired' else ${invitation.status} end`,
  inviterId: invitation.inviterId,
  expiresAt: invitation.expiresAt,
  acceptedAt: invitation.acceptedAt,
  rejectedAt: invitation.rejectedAt,
  createdAt: invitation.createdAt,
};

export const teamDetail = { id: team.id, name: team.name, createdAt: team.createdAt, updatedAt: team.updatedAt };

/** The ids of a team's members, in order. */
export const teamMemberIds = qualified(
  sql<
    string[]
  >`array(select ${teamMember.memberId} from ${teamMember} where ${teamMember.organizationId} = ${team.organizationId} and ${teamMember.teamId} = ${team.id} order by 1)`,
);

/** What the log says of one change; who sent it from where is for the organization to know. */
export const auditDetail = {
  id: auditLog.id,
  actorId: auditLog.actorId,
  keyId: auditLog.keyId,
  impersonatorId: auditLog.impersonatorId,
  action: auditLog.action,
  target: auditLog.target,
  before: auditLog.before,
  after: auditLog.after,
  requestId: auditLog.requestId,
  ip: auditLog.ip,
  createdAt: auditLog.createdAt,
};

/** A row of the caller's organization: another tenant's id finds nothing, whatever the policies say. */
interface Place {
  organizationId: string;
}

export function liveOrganization({ organizationId }: Place) {
  return and(eq(organization.id, organizationId), notDeleted(organization));
}

export function memberOf({ organizationId }: Place, id: string) {
  return and(eq(member.organizationId, organizationId), eq(member.id, id));
}

export function teamOf({ organizationId }: Place, id: string) {
  return and(eq(team.organizationId, organizationId), eq(team.id, id));
}

export function invitationOf({ organizationId }: Place, id: string) {
  return and(eq(invitation.organizationId, organizationId), eq(invitation.id, id));
}

/**
 * Makes everybody else who would change who belongs to the organization wait for this transaction. Send it first:
 * statements behind it see what the one before has committed. No row: the organization has been deleted.
 */
export function lockOrganization(tx: Tx, place: Place) {
  return tx
    .select({ slug: organization.slug, memberLimit: organization.memberLimit })
    .from(organization)
    .where(liveOrganization(place))
    .for("no key update");
}
