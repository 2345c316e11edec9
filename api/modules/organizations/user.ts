import { and, auditLog, desc, eq, inArray, invitation, isNull, member, organization, sql, user } from "@repo/db";
import { withDeleted } from "@repo/db/schema/columns";
import { audit } from "../../core/audit.ts";
import type { Tx } from "../../core/database/doors.ts";
import { AppError } from "../../core/errors/app-error.ts";
import type { UserContext } from "../../core/procedures.ts";
import { auditDetail, invitationDetail } from "./queries.ts";

/** A person's memberships, the invitations to their address, and what they changed of their own. */
export async function exportMemberships(tx: Tx, userId: string) {
  const address = tx.select({ email: user.email }).from(user).where(eq(user.id, userId));
  const [organizations, invitations, changes] = await Promise.all([
    tx
      .select({ id: organization.id, name: organization.name, role: member.role, joinedAt: member.createdAt })
      .from(member)
      .innerJoin(organization, and(eq(organization.id, member.organizationId), withDeleted(organization)))
      .where(eq(member.userId, userId))
      .orderBy(member.organizationId),
    tx.select(invitationDetail).from(invitation).where(inArray(invitation.email, address)).orderBy(invitation.id),
    tx
      .select(auditDetail)
      .from(auditLog)
      .where(and(isNull(auditLog.organizationId), eq(auditLog.actorId, userId)))
      .orderBy(desc(auditLog.id)),
  ]);
  return { organizations, invitations, changes };
}

/**
 * Keeps whoever is the last owner of an organization with other members from deleting their account. Organizations in
 * which nobody else is are deleted along, softly.
 */
export async function leaveBeforeDeletion(ctx: UserContext, tx: Tx): Promise<void> {
  const places = await tx
    .select({
      outcome: sql<"last_owner" | "deleted" | "left">`outcome`,
      organizationId: sql<string>`place`,
      id: sql<string>`membership`,
      role: sql<string>`membership_role`,
    })
    .from(sql`auth.release_organizations()`);
  if (places.some(({ outcome }) => outcome === "last_owner")) {
    throw new AppError("CONFLICT", "You are the last owner of an organization with other members: make one an owner", {
      reason: "last_owner",
    });
  }
  for (const { outcome, organizationId, id, role } of places) {
    audit(ctx, tx, {
      action: "member.leave",
      target: id,
      before: { userId: ctx.caller.user.id, role },
      organizationId,
    });
    if (outcome === "deleted")
      audit(ctx, tx, { action: "organization.delete", target: organizationId, organizationId });
  }
}
