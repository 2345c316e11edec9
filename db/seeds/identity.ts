import { scryptSync } from "node:crypto";
import { identity, identityPrefixes, type NewUser, user } from "../schema/identity.ts";
import { crowdStart, insertMany, numbers, pick, type SeedDb, seedDay, seedId } from "./seed.ts";

/** Password of every demo user. */
export const demoPassword = "demo-password";

/** Who can sign in to a fresh database. */
export const demoUsers = [
  { id: seedId(identityPrefixes.user, 1), name: "Demo Person", email: "demo@example.com" },
  { id: seedId(identityPrefixes.user, 2), name: "Second Person", email: "second@example.com" },
] as const satisfies NewUser[];

const peoplePerScale = 10;
const firstNames = ["Ada", "Bao", "Chidi", "Dana", "Emre", "Freya", "Goran"] as const;
const lastNames = [
  "Abel",
  "Brandt",
  "Costa",
  "Diallo",
  "Eriksen",
  "Fujita",
  "Garcia",
  "Haddad",
  "Ito",
  "Jansen",
  "Khan",
] as const;

/** The people beyond the demo users: ten for each step of the scale above 1. */
export function crowdOf(scale: number): { id: string; name: string; email: string }[] {
  return numbers((scale - 1) * peoplePerScale).map((index) => ({
    id: seedId(identityPrefixes.user, crowdStart + index),
    name: `${pick(firstNames, index)} ${pick(lastNames, index)}`,
    email: `person-${index + 1}@example.com`,
  }));
}

async function seedCrowd(db: SeedDb, scale: number): Promise<void> {
  const people = crowdOf(scale);
  const times = (index: number) => ({ createdAt: seedDay(index % 300), updatedAt: seedDay(index % 300) });
  await insertMany(
    db,
    user,
    people.map((person, index) => ({ ...person, emailVerified: index % 10 > 0, ...times(index) })),
  );
  // A hash takes its time; one does for all, whose password is the same.
  const password = people.length > 0 ? hashPassword(demoPassword, "crowd") : undefined;
  await insertMany(
    db,
    identity,
    people.map(({ id }, index) => ({
      id: seedId(identityPrefixes.identity, crowdStart + index),
      userId: id,
      providerId: "credential",
      accountId: id,
      password,
      ...times(index),
    })),
  );
}

export async function seedIdentity(db: SeedDb, scale: number): Promise<void> {
  for (const [index, { id, name, email }] of demoUsers.entries()) {
    const times = { createdAt: seedDay(index + 1), updatedAt: seedDay(index + 1) };
    await db
      .insert(user)
      .values({ id, name, email, emailVerified: true, ...times })
      .onConflictDoNothing();
    await db
      .insert(identity)
      .values({
        id: seedId(identityPrefixes.identity, index + 1),
        userId: id,
        providerId: "credential",
        accountId: id,
        password: hashPassword(demoPassword, email),
        ...times,
      })
      .onConflictDoNothing();
  }
  await seedCrowd(db, scale);
}

/** `scrypt$N$r$p$salt$key`, as sign-in expects it; the salt is fixed, so that every run writes the same. */
function hashPassword(password: string, email: string): string {
  const salt = Buffer.from(email.padEnd(16).slice(0, 16));
  const key = scryptSync(password, salt, 32, { N: 16_384, r: 8, p: 5, maxmem: 64 * 1024 * 1024 });
  return ["scrypt", 16_384, 8, 5, salt.toString("base64url"), key.toString("base64url")].join("$");
}
