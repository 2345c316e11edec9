import { member, organization, organizationPrefixes, team, teamMember } from "../schema/organizations.ts";
import { demoUsers } from "./identity.ts";
import { type SeedDb, seedDay, seedId } from "./seed.ts";

export async function seedOrganizations(db: SeedDb): Promise<void> {
  const organizationId = seedId(organizationPrefixes.organization, 1);
  const times = { createdAt: seedDay(1), updatedAt: seedDay(1) };
  await db
    .insert(organization)
    .values({ id: organizationId, name: "Demo Company", slug: "demo-company", ...times })
    .onConflictDoNothing();
  const teamId = seedId(organizationPrefixes.team, 1);
  await db
    .insert(team)
    .values({ id: teamId, organizationId, name: "Engineering", ...times })
    .onConflictDoNothing();
  for (const [index, { id: userId }] of demoUsers.entries()) {
    const role = index === 0 ? "owner" : "member";
    const memberId = seedId(organizationPrefixes.member, index + 1);
    await db
      .insert(member)
      .values({ id: memberId, organizationId, userId, role, ...times })
      .onConflictDoNothing();
    await db.insert(teamMember).values({ organizationId, teamId, memberId }).onConflictDoNothing();
  }
}
