import { and, eq, member, or, sql } from "@repo/db";
import { audit } from "../../../core/audit.ts";
import { assertInPerson } from "../../../core/caller.ts";
import type { Tx } from "../../../core/database/doors.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import type { MemberUserContext } from "../../../core/procedures.ts";
import { noMember, noOrganization, standingChanged } from "../errors.ts";
import type { MemberIdInput, UpdateRoleInput } from "../input.ts";
import { assertMay, assertMayGrant, assertOwnerRemains } from "../policy.ts";
import { lockOrganization, memberOf, standing } from "../queries.ts";

type Standing = Pick<typeof member.$inferSelect, "id" | "userId" | "role">;

interface Change {
  /** Whom the change is about. Default: the caller. */
  targetId?: string;
  write(): PromiseLike<Standing[]>;
}

/**
 * Writes while everybody else who would change the membership waits, in one flight, and answers what was true before.
 * The rules are judged by that, not by what the caller was when the request began; breaking one throws, which undoes
 * the write.
 */
async function changeMembers({ caller }: MemberUserContext, tx: Tx, { targetId, write }: Change) {
  const own = eq(member.userId, caller.user.id);
  const concerned = or(own, eq(member.role, "owner"), targetId ? eq(member.id, targetId) : undefined);
  const [[place], before, after] = await Promise.all([
    lockOrganization(tx, caller),
    tx
      .select(standing)
      .from(member)
      .where(and(eq(member.organizationId, caller.organizationId), concerned)),
    write(),
  ]);
  if (!place) throw noOrganization();
  const actor = before.find(({ userId }) => userId === caller.user.id);
  if (!actor) throw standingChanged();
  const target = targetId === undefined ? actor : before.find(({ id }) => id === targetId);
  if (!target) throw noMember();
  const otherOwners = before.filter(({ id, role }) => role === "owner" && id !== target.id).length;
  return { actor, target, otherOwners, after };
}

export function updateMemberRole(ctx: MemberUserContext, { memberId, role }: UpdateRoleInput) {
  assertMay(ctx.caller, "member.manage");
  assertInPerson(ctx.caller);
  return ctx.rls(async (tx) => {
    const { actor, target, otherOwners, after } = await changeMembers(ctx, tx, {
      targetId: memberId,
      write: () => tx.update(member).set({ role }).where(memberOf(ctx.caller, memberId)).returning(standing),
    });
    assertMay(actor, "member.manage");
    assertMayGrant(actor, target.role, role);
    if (target.role === "owner" && role !== "owner") assertOwnerRemains({ otherOwners });
    audit(ctx, tx, { action: "member.update", target: memberId, before: target, after: { ...target, role } });
    return after[0] ?? target;
  });
}

/** Takes somebody out of the organization and its teams; their very next request finds the door closed. */
export function removeMember(ctx: MemberUserContext, { memberId }: MemberIdInput) {
  assertMay(ctx.caller, "member.manage");
  return ctx.rls(async (tx) => {
    const { actor, target, otherOwners } = await changeMembers(ctx, tx, {
      targetId: memberId,
      write: () => tx.delete(member).where(memberOf(ctx.caller, memberId)).returning(standing),
    });
    assertMay(actor, "member.manage");
    assertMayGrant(actor, target.role);
    if (target.role === "owner") assertOwnerRemains({ otherOwners });
    audit(ctx, tx, { action: "member.remove", target: memberId, before: target });
    return { id: memberId };
  });
}

export function leaveOrganization(ctx: MemberUserContext) {
  const own = and(eq(member.organizationId, ctx.caller.organizationId), eq(member.userId, ctx.caller.user.id));
  return ctx.rls(async (tx) => {
    const { target, otherOwners } = await changeMembers(ctx, tx, {
      write: () => tx.delete(member).where(own).returning(standing),
    });
    if (target.role === "owner") assertOwnerRemains({ otherOwners });
    audit(ctx, tx, { action: "member.leave", target: target.id, before: target });
    return { id: target.id };
  });
}

/** Makes another member an owner, and the caller an admin. */
export function transferOwnership(ctx: MemberUserContext, { memberId }: MemberIdInput) {
  const { caller } = ctx;
  assertMay(caller, "organization.transfer");
  assertInPerson(caller);
  const both = or(eq(member.id, memberId), eq(member.userId, caller.user.id));
  const role = sql<"owner" | "admin">`case when ${member.id} = ${memberId} then 'owner' else 'admin' end`;
  return ctx.rls(async (tx) => {
    const { actor, target } = await changeMembers(ctx, tx, {
      targetId: memberId,
      write: () =>
        tx
          .update(member)
          .set({ role })
          .where(and(eq(member.organizationId, caller.organizationId), both))
          .returning(standing),
    });
    assertMay(actor, "organization.transfer");
    if (target.id === actor.id) {
      throw new AppError("BAD_REQUEST", "memberId: this is you", { reason: "own_membership", field: "memberId" });
    }
    for (const [before, next] of [
      [target, "owner"],
      [actor, "admin"],
    ] as const) {
      audit(ctx, tx, {
        action: "organization.transferOwnership",
        target: before.id,
        before,
        after: { ...before, role: next },
      });
    }
    return { owner: target.id, admin: actor.id };
  });
}
