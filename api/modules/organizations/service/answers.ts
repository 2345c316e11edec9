import { type InvitationStatus, type MemberRole, organizationPrefixes, sql } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { audit } from "../../../core/audit.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { noInvitation, notPending } from "../errors.ts";
import type { InvitationIdInput } from "../input.ts";
import { assertVerifiedAddress } from "../policy.ts";

type Acceptance = "joined" | "already_member" | "member_limit" | InvitationStatus;

/** Joins the organization, and the team if the invitation names one. A member stays what they are. */
export function acceptInvitation(ctx: UserContext, { invitationId }: InvitationIdInput) {
  assertVerifiedAddress(ctx.caller.user);
  return ctx.rls(async (tx) => {
    const [answer] = await tx
      .select({
        outcome: sql<Acceptance>`outcome`,
        organizationId: sql<string>`place`,
        memberId: sql<string>`membership`,
        role: sql<MemberRole>`membership_role`,
        teamId: sql<string | null>`joined_team`,
      })
      .from(sql`auth.accept_invitation(${invitationId}, ${newId(organizationPrefixes.member)})`);
    if (!answer) throw noInvitation();
    const { outcome, ...place } = answer;
    if (outcome === "member_limit") {
      throw new AppError("CONFLICT", "The organization has no seat left", { reason: "member_limit" });
    }
    if (outcome !== "joined" && outcome !== "already_member") throw notPending(outcome);
    const { organizationId, ...after } = place;
    audit(ctx, tx, { action: "invitation.accept", target: invitationId, after, organizationId });
    return { ...place, joined: outcome === "joined" };
  });
}

export function rejectInvitation(ctx: UserContext, { invitationId }: InvitationIdInput) {
  assertVerifiedAddress(ctx.caller.user);
  return ctx.rls(async (tx) => {
    const [answer] = await tx
      .select({ outcome: sql<"rejected_now" | InvitationStatus>`outcome`, organizationId: sql<string>`place` })
      .from(sql`auth.reject_invitation(${invitationId})`);
    if (!answer) throw noInvitation();
    const { outcome, organizationId } = answer;
    if (outcome !== "rejected_now") throw notPending(outcome);
    const status = { before: { status: "pending" }, after: { status: "rejected" } };
    audit(ctx, tx, { action: "invitation.reject", target: invitationId, ...status, organizationId });
    return { id: invitationId };
  });
}
