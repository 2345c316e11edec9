import type { InvitationStatus } from "@repo/db";
import { AppError } from "../../core/errors/app-error.ts";

export const noOrganization = () => new AppError("NOT_FOUND", "No such organization");
export const noMember = () => new AppError("NOT_FOUND", "No such member");
export const noTeam = () => new AppError("NOT_FOUND", "No such team");
export const noInvitation = () => new AppError("NOT_FOUND", "No such invitation");

export function slugTaken(free: string[]): AppError {
  const proposal = free.length ? `; free are ${free.join(", ")}` : "";
  return new AppError("CONFLICT", `slug: this address is taken${proposal}`, { reason: "slug_taken", field: "slug" });
}

/** The caller was removed or demoted while the request was under way. */
export const standingChanged = () =>
  new AppError("FORBIDDEN", "No longer a member of this organization", { reason: "not_a_member" });

export const alreadyMember = () =>
  new AppError("CONFLICT", "email: a member has this address", { reason: "already_member", field: "email" });

export function notPending(status: InvitationStatus): AppError {
  return new AppError("CONFLICT", `The invitation is no longer open: it is ${status}`, {
    reason: `invitation_${status}`,
  });
}

const taken = () => new AppError("CONFLICT", "id: taken already", { reason: "id_taken", field: "id" });

/** What a broken constraint of the tables means to the caller. */
export const conflicts = {
  // Deleted while the request was under way.
  member_user_id_user_id_fk: () => new AppError("UNAUTHENTICATED", "This account no longer exists"),
  organization_pkey: taken,
  team_pkey: taken,
  team_organization_name_unique: () =>
    new AppError("CONFLICT", "name: there is a team of this name", { reason: "name_taken", field: "name" }),
  team_member_pkey: () => new AppError("CONFLICT", "Already in this team", { reason: "already_in_team" }),
  team_member_team_fk: noTeam,
  team_member_member_fk: noMember,
  invitation_team_fk: noTeam,
  invitation_pending_unique: () =>
    new AppError("CONFLICT", "email: invited already; resend or cancel that invitation", {
      reason: "already_invited",
      field: "email",
    }),
};
