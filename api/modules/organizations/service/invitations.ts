import {
  and,
  auditLog,
  count,
  eq,
  gt,
  inArray,
  invitation,
  lte,
  member,
  organizationPrefixes,
  sql,
  user,
} from "@repo/db";
import { idSince, newId } from "@repo/db/schema/columns";
import { audit } from "../../../core/audit.ts";
import { assertInPerson } from "../../../core/caller.ts";
import type { Tx } from "../../../core/database/doors.ts";
import { one } from "../../../core/database/rows.ts";
import { withConflicts } from "../../../core/errors/database.ts";
import { renderLetter } from "../../../core/mail/letter.tsx";
import { sendLater } from "../../../core/mail/mailer.ts";
import type { MemberContext, MemberUserContext } from "../../../core/procedures.ts";
import { alreadyMember, conflicts, noInvitation, noOrganization, notPending } from "../errors.ts";
import type { InvitationIdInput, InviteInput } from "../input.ts";
import { invitationLetter } from "../letters.ts";
import { assertMay, assertMayGrant, assertMayMail, assertSeatLeft, assertVerifiedAddress } from "../policy.ts";
import { invitationDetail, invitationOf, lockOrganization } from "../queries.ts";

const validDays = 7;
const expiry = () => new Date(Date.now() + validDays * 86_400_000);

/** The page of the frontend where an invitation is answered. */
function post(
  { env, caller, requestId, waitUntil }: MemberUserContext,
  slug: string,
  to: { id: string; email: string },
) {
  const url = `${env.CORS_ORIGINS[0] ?? env.APP_URL}/invitations/${to.id}`;
  const letter = invitationLetter({ inviter: caller.user.email, slug, url, days: validDays });
  sendLater({ env, requestId, waitUntil }, { to: to.email, ...renderLetter(letter) });
}

/** Who and what counts against the plan, and whether the address belongs to a member. */
function seats(tx: Tx, { caller }: MemberContext, email: string) {
  const { organizationId } = caller;
  return [
    tx.select({ members: count() }).from(member).where(eq(member.organizationId, organizationId)),
    tx
      .select({ id: member.id })
      .from(member)
      .innerJoin(user, eq(user.id, member.userId))
      .where(and(eq(member.organizationId, organizationId), eq(user.email, email))),
    tx
      .select({ open: count() })
      .from(invitation)
      .where(
        and(
          eq(invitation.organizationId, organizationId),
          eq(invitation.status, "pending"),
          gt(invitation.expiresAt, new Date()),
        ),
      ),
  ] as const;
}

/** How many letters went out lately, as the audit log has it: for the organization, and by the caller. */
function mailed(tx: Tx, { caller }: MemberUserContext) {
  const [hour, day] = [3_600_000, 86_400_000].map((ms) => new Date(Date.now() - ms)) as [Date, Date];
  const byCaller = and(eq(auditLog.actorId, caller.user.id), gt(auditLog.createdAt, hour));
  return tx
    .select({ byAll: count(), byCaller: sql`count(*) filter (where ${byCaller})`.mapWith(Number) })
    .from(auditLog)
    .where(
      and(
        eq(auditLog.organizationId, caller.organizationId),
        gt(auditLog.id, idSince(organizationPrefixes.auditLog, day)),
        inArray(auditLog.action, ["invitation.create", "invitation.resend"]),
      ),
    );
}

/** Closes what nobody took up in time, so that the address can be invited anew. */
function closeExpired(tx: Tx, { caller }: MemberContext, email: string) {
  return tx
    .update(invitation)
    .set({ status: "expired" })
    .where(
      and(
        eq(invitation.organizationId, caller.organizationId),
        eq(invitation.email, email),
        eq(invitation.status, "pending"),
        lte(invitation.expiresAt, new Date()),
      ),
    );
}

/** Offers a place, and in a team if one is given. Open invitations count as seats, so that every one can be accepted. */
export function inviteMember(ctx: MemberUserContext, { email, role, teamId }: InviteInput) {
  const { caller, rls } = ctx;
  assertMay(caller, "invitation.manage");
  assertInPerson(caller);
  assertMayGrant(caller, role);
  assertVerifiedAddress(caller.user);
  const { organizationId } = caller;
  const row = { id: newId(organizationPrefixes.invitation), organizationId, email, role, teamId };
  return withConflicts(conflicts, async () => {
    const { slug, made } = await rls(async (tx) => {
      const [[place], sent, [members], fellows, [invited], , rows] = await Promise.all([
        lockOrganization(tx, caller),
        mailed(tx, ctx),
        ...seats(tx, ctx, email),
        closeExpired(tx, ctx, email),
        tx
          .insert(invitation)
          .values({ ...row, inviterId: caller.user.id, expiresAt: expiry() })
          .returning(invitationDetail),
      ]);
      if (!place) throw noOrganization();
      assertMayMail(one(sent));
      if (fellows.length) throw alreadyMember();
      assertSeatLeft({ taken: (members?.members ?? 0) + (invited?.open ?? 0), limit: place.memberLimit });
      const after = one(rows);
      audit(ctx, tx, { action: "invitation.create", target: row.id, after });
      return { slug: place.slug, made: after };
    });
    post(ctx, slug, made);
    return made;
  });
}

/** Mails an open invitation again; it holds for another seven days from now. */
export async function resendInvitation(ctx: MemberUserContext, { invitationId }: InvitationIdInput) {
  assertMay(ctx.caller, "invitation.manage");
  assertInPerson(ctx.caller);
  assertVerifiedAddress(ctx.caller.user);
  const { slug, after } = await ctx.rls(async (tx) => {
    const [[live], sent, after] = await Promise.all([
      lockOrganization(tx, ctx.caller),
      mailed(tx, ctx),
      setPending(ctx, tx, { action: "invitation.resend", invitationId, values: { expiresAt: expiry() } }),
    ]);
    if (!live) throw noOrganization();
    assertMayMail(one(sent));
    return { slug: live.slug, after };
  });
  post(ctx, slug, after);
  return after;
}

export function cancelInvitation(ctx: MemberContext, { invitationId }: InvitationIdInput) {
  assertMay(ctx.caller, "invitation.manage");
  return ctx.rls((tx) =>
    setPending(ctx, tx, { action: "invitation.cancel", invitationId, values: { status: "cancelled" } }),
  );
}

interface PendingChange {
  action: string;
  invitationId: string;
  values: Partial<typeof invitation.$inferInsert>;
}

/** Changes an invitation that is still open; what it was is read along, to tell closed from missing. */
async function setPending(ctx: MemberContext, tx: Tx, { action, invitationId, values }: PendingChange) {
  const wanted = invitationOf(ctx.caller, invitationId);
  const [[before], [after]] = await Promise.all([
    tx.select(invitationDetail).from(invitation).where(wanted).for("no key update"),
    tx
      .update(invitation)
      .set(values)
      .where(and(wanted, eq(invitation.status, "pending")))
      .returning(invitationDetail),
  ]);
  if (!before) throw noInvitation();
  if (!after) throw notPending(before.status);
  assertMayGrant(ctx.caller, before.role);
  audit(ctx, tx, { action, target: invitationId, before, after });
  return after;
}
