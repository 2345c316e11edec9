import { eq, invitation, type Member, type MemberRole, member, type Organization } from "@repo/db";
import { type Actor, insider, signIn, unique } from "../../../test/actors.ts";
import { apiFor } from "../../../test/call.ts";
import { withOwner } from "../../../test/owner.ts";

export { insider };

export type Insider = Awaited<ReturnType<typeof insider>>;

/** The row of a membership. */
export async function membershipOf(userId: string, organizationId: string): Promise<Member | undefined> {
  const rows = await withOwner((db) => db.select().from(member).where(eq(member.userId, userId)));
  return rows.find((row) => row.organizationId === organizationId);
}

/** Roles of everybody in the organization, by membership. */
export async function rolesIn({ id }: Organization): Promise<Record<string, MemberRole>> {
  const rows = await withOwner((db) => db.select().from(member).where(eq(member.organizationId, id)));
  return Object.fromEntries(rows.map((row) => [row.id, row.role]));
}

/** An open invitation of the organization to somebody who is signed in. */
export async function invited(host: Insider, values: { role?: MemberRole; teamId?: string } = {}) {
  const guest = await signIn();
  const { id } = await host.api.organization.invitations.create({ email: guest.user.email, ...values });
  return { guest, invitationId: id };
}

/** Makes an invitation one that nobody took up in time. */
export function expire(invitationId: string) {
  const past = new Date(Date.now() - 1000);
  return withOwner((db) => db.update(invitation).set({ expiresAt: past }).where(eq(invitation.id, invitationId)));
}

/** Procedures as the actor, for an organization named in no header. */
export function bare({ headers }: Pick<Actor, "headers">) {
  const { "x-organization": _, ...rest } = headers;
  return apiFor(rest);
}

export const newAddress = () => `guest-${unique()}@example.com`;
