import { type MemberRole, memberRoles } from "@repo/db";
import { AppError } from "../../core/errors/app-error.ts";

/** Who may do what in an organization. Reading it, its members and teams is open to all of them; so is leaving. */
export const permissions = {
  "organization.update": ["owner", "admin"],
  "organization.delete": ["owner"],
  "organization.transfer": ["owner"],
  "member.manage": ["owner", "admin"],
  "invitation.manage": ["owner", "admin"],
  "team.manage": ["owner", "admin"],
  "audit.read": ["owner", "admin"],
} as const satisfies Record<string, readonly MemberRole[]>;
export type Permission = keyof typeof permissions;

/** The roles that each role may give, and take from those who have them. */
export const grantable: Record<MemberRole, readonly MemberRole[]> = {
  owner: memberRoles,
  admin: ["admin", "member", "viewer"],
  member: [],
  viewer: [],
};

/** A guest has nothing yet that others could rely on. @throws AppError FORBIDDEN */
export function assertOwnAccount({ user }: { user: { isAnonymous: boolean } }): void {
  if (user.isAnonymous) throw new AppError("FORBIDDEN", "Sign up first", { reason: "guest" });
}

/** @throws AppError FORBIDDEN */
export function assertMay({ role }: { role: MemberRole }, permission: Permission): void {
  const roles: readonly MemberRole[] = permissions[permission];
  if (roles.includes(role)) return;
  throw new AppError("FORBIDDEN", `Needs the role ${roles.join(" or ")}`, { reason: "role_too_low" });
}

/** @throws AppError FORBIDDEN when one of the roles is above what the caller may give or take. */
export function assertMayGrant({ role }: { role: MemberRole }, ...affected: MemberRole[]): void {
  if (affected.every((other) => grantable[role].includes(other))) return;
  throw new AppError("FORBIDDEN", "Only owners make owners, or change what an owner is", { reason: "role_too_low" });
}

/** @throws AppError CONFLICT when an organization would be left without an owner. */
export function assertOwnerRemains({ otherOwners }: { otherOwners: number }): void {
  if (otherOwners > 0) return;
  throw new AppError("CONFLICT", "This is the last owner: make somebody else an owner first", { reason: "last_owner" });
}

/** @throws AppError CONFLICT when the plan has no seat left. */
export function assertSeatLeft({ taken, limit }: { taken: number; limit: number }): void {
  if (taken < limit) return;
  throw new AppError("CONFLICT", `The plan allows ${limit} members`, { reason: "member_limit" });
}

/** Invitations are sent by, and speak to, whoever has proved to own their address. */
export function assertVerifiedAddress({ emailVerified }: { emailVerified: boolean }): void {
  if (emailVerified) return;
  throw new AppError("FORBIDDEN", "Confirm your e-mail address first", { reason: "email_not_verified" });
}

/** Letters that one person may send for an organization within an hour, and everybody together within a day. */
export const invitationLimits = { perInviterAndHour: 50, perOrganizationAndDay: 200 };

/** An invitation is a letter to a stranger. @throws AppError RATE_LIMITED */
export function assertMayMail({ byCaller, byAll }: { byCaller: number; byAll: number }): void {
  const { perInviterAndHour, perOrganizationAndDay } = invitationLimits;
  if (byCaller < perInviterAndHour && byAll < perOrganizationAndDay) return;
  throw new AppError("RATE_LIMITED", "Too many invitations; try again later", {
    reason: "invitation_limit",
    retryAfter: 3600,
  });
}
