import { eq, organization, resume, user } from "@repo/db";
import { connect, type DatabaseClient } from "@repo/db/client";
import { startTestDatabase } from "@repo/dev/test-database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seedDatabase, seedIfEmpty } from "../scripts/seed.ts";
import { demoUsers } from "./identity.ts";

type TestDatabase = Awaited<ReturnType<typeof startTestDatabase>>;
let database: TestDatabase;
let client: DatabaseClient;

beforeAll(async () => {
  database = await startTestDatabase();
  client = connect(database.owner);
}, 60_000);
afterAll(async () => {
  await client.close();
  await database.stop();
});

const everything = () =>
  Promise.all([
    client.db.select().from(user).orderBy(user.id),
    client.db.select().from(resume).orderBy(resume.id),
    client.db.select().from(organization),
    client.db.query.identity.findMany(),
    client.db.query.member.findMany(),
  ]);

test("an empty database gets the demo data, and the same again changes nothing", async () => {
  expect(await seedIfEmpty(database.owner)).toBe(true);
  const first = await everything();
  expect(first.map((rows) => rows.length)).toEqual([4, 3, 1, 2, 2]);
  expect(await seedIfEmpty(database.owner)).toBe(false);
  await seedDatabase(database.owner);
  expect(await everything()).toEqual(first);
});

test("it mends what is missing and leaves alone what somebody changed", async () => {
  const [demo] = demoUsers;
  await client.db.update(user).set({ name: "Renamed" }).where(eq(user.id, demo.id));
  await client.db.delete(resume);
  await seedDatabase(database.owner);
  expect(await client.db.$count(resume)).toBe(3);
  expect((await client.db.query.user.findFirst({ where: eq(user.id, demo.id) }))?.name).toBe("Renamed");
});

test("one résumé is public, and its public form keeps the contact to itself", async () => {
  const published = await client.db.select().from(resume).where(eq(resume.isPublic, true));
  expect(published).toHaveLength(1);
  expect(published[0]?.data.basics?.email).toBe("demo@example.com");
  expect(JSON.stringify(published[0]?.publicData)).not.toContain("demo@example.com");
});
