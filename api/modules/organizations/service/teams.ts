import { and, eq, invitation, organizationPrefixes, team, teamMember } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { audit } from "../../../core/audit.ts";
import { one } from "../../../core/database/rows.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import { withConflicts } from "../../../core/errors/database.ts";
import type { MemberContext } from "../../../core/procedures.ts";
import { conflicts, noTeam } from "../errors.ts";
import type { CreateTeamInput, TeamIdInput, TeamMemberInput, UpdateTeamInput } from "../input.ts";
import { assertMay } from "../policy.ts";
import { teamDetail, teamOf } from "../queries.ts";

export function createTeam(ctx: MemberContext, { id = newId(organizationPrefixes.team), name }: CreateTeamInput) {
  const { caller, rls } = ctx;
  assertMay(caller, "team.manage");
  return withConflicts(conflicts, () =>
    rls(async (tx) => {
      const values = { id, organizationId: caller.organizationId, name };
      const after = one(await tx.insert(team).values(values).returning(teamDetail));
      audit(ctx, tx, { action: "team.create", target: id, after });
      return after;
    }),
  );
}

export function updateTeam(ctx: MemberContext, { teamId, name }: UpdateTeamInput) {
  assertMay(ctx.caller, "team.manage");
  const wanted = teamOf(ctx.caller, teamId);
  return withConflicts(conflicts, () =>
    ctx.rls(async (tx) => {
      const [[before], [after]] = await Promise.all([
        tx.select(teamDetail).from(team).where(wanted).for("no key update"),
        tx.update(team).set({ name }).where(wanted).returning(teamDetail),
      ]);
      if (!after) throw noTeam();
      audit(ctx, tx, { action: "team.update", target: teamId, before, after });
      return after;
    }),
  );
}

/** Deletes a team. Its members stay in the organization; invitations to it become invitations to the organization. */
export function deleteTeam(ctx: MemberContext, { teamId }: TeamIdInput) {
  assertMay(ctx.caller, "team.manage");
  const { organizationId } = ctx.caller;
  return ctx.rls(async (tx) => {
    const [, [before]] = await Promise.all([
      tx
        .update(invitation)
        .set({ teamId: null })
        .where(and(eq(invitation.organizationId, organizationId), eq(invitation.teamId, teamId))),
      tx.delete(team).where(teamOf(ctx.caller, teamId)).returning(teamDetail),
    ]);
    if (!before) throw noTeam();
    audit(ctx, tx, { action: "team.delete", target: teamId, before });
    return { id: teamId };
  });
}

export function addTeamMember(ctx: MemberContext, { teamId, memberId }: TeamMemberInput) {
  const { caller, rls } = ctx;
  assertMay(caller, "team.manage");
  return withConflicts(conflicts, () =>
    rls(async (tx) => {
      await tx.insert(teamMember).values({ organizationId: caller.organizationId, teamId, memberId });
      audit(ctx, tx, { action: "team.addMember", target: teamId, after: { memberId } });
      return { teamId, memberId };
    }),
  );
}

export function removeTeamMember(ctx: MemberContext, { teamId, memberId }: TeamMemberInput) {
  const { caller, rls } = ctx;
  assertMay(caller, "team.manage");
  const wanted = and(
    eq(teamMember.organizationId, caller.organizationId),
    eq(teamMember.teamId, teamId),
    eq(teamMember.memberId, memberId),
  );
  return rls(async (tx) => {
    const [row] = await tx.delete(teamMember).where(wanted).returning({ memberId: teamMember.memberId });
    if (!row) throw new AppError("NOT_FOUND", "No such member in this team");
    audit(ctx, tx, { action: "team.removeMember", target: teamId, before: { memberId } });
    return { teamId, memberId };
  });
}
