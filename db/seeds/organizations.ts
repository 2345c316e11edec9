import { member, organization, organizationPrefixes, team, teamMember } from "../schema/organizations.ts";
import { crowdOf, demoUsers } from "./identity.ts";
import { crowdStart, insertMany, numbers, pick, type SeedDb, seedDay, seedId } from "./seed.ts";

const membersEach = 10;
const trades = ["Bakery", "Books", "Cycles", "Dental", "Energy", "Florist"] as const;

/** A company for every ten people of the crowd: an owner, an admin, members; two teams. */
async function seedCompanies(db: SeedDb, scale: number): Promise<void> {
  const people = crowdOf(scale);
  const companies = numbers(Math.floor(people.length / membersEach)).map((index) => {
    const day = seedDay(index % 300);
    const id = seedId(organizationPrefixes.organization, crowdStart + index);
    return {
      id,
      name: `${pick(trades, index)} ${index + 1}`,
      slug: `company-${index + 1}`,
      createdAt: day,
      updatedAt: day,
    };
  });
  const teams = companies.flatMap(({ id: organizationId, createdAt }, index) =>
    ["Front", "Back"].map((name, place) => {
      const id = seedId(organizationPrefixes.team, crowdStart + index * 2 + place);
      return { id, organizationId, name, createdAt, updatedAt: createdAt };
    }),
  );
  const members = people.flatMap(({ id: userId }, index) => {
    const company = companies[Math.floor(index / membersEach)];
    if (!company) return [];
    const id = seedId(organizationPrefixes.member, crowdStart + index);
    const role =
      index % membersEach === 0
        ? ("owner" as const)
        : index % membersEach === 1
          ? ("admin" as const)
          : ("member" as const);
    return [
      { id, organizationId: company.id, userId, role, createdAt: company.createdAt, updatedAt: company.createdAt },
    ];
  });
  await insertMany(db, organization, companies);
  await insertMany(db, team, teams);
  await insertMany(db, member, members);
  const places = members.flatMap(({ id: memberId, organizationId, createdAt }, index) => {
    const joined = teams[Math.floor(index / membersEach) * 2 + (index % 2)];
    return joined ? [{ organizationId, teamId: joined.id, memberId, createdAt }] : [];
  });
  await insertMany(db, teamMember, places);
}

export async function seedOrganizations(db: SeedDb, scale: number): Promise<void> {
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
    await db
      .insert(teamMember)
      .values({ organizationId, teamId, memberId, createdAt: times.createdAt })
      .onConflictDoNothing();
  }
  await seedCompanies(db, scale);
}
