import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { and, eq, organization, resume, user } from "@repo/db";
import { connect, type DatabaseClient } from "@repo/db/client";
import { startTestDatabase } from "@repo/dev/test-database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { notDeleted } from "../schema/columns.ts";
import { exportDatabase } from "../scripts/backup/export-database.ts";
import { seedDatabase, seedIfEmpty } from "../scripts/seed.ts";
import { demoStaff, demoUsers } from "./identity.ts";
import { seeds } from "./index.ts";

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

describe("with a crowd", () => {
  const silent = { rows: () => {}, done: () => {} };
  const sumsOf = async (owner: string) => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-seeds-"));
    const openLocal = () => Promise.reject(new Error("rows alone need no pg_dump"));
    const request = {
      url: owner,
      openLocal,
      folder,
      environment: "test",
      content: "data" as const,
      tables: [],
      report: silent,
    };
    const { sums } = await exportDatabase(request);
    rmSync(folder, { recursive: true });
    return sums;
  };

  test("every database gets the same rows, within a minute at scale 100, and none twice", async () => {
    const other = await startTestDatabase();
    const domains: string[] = [];
    const started = performance.now();
    await seedDatabase(other.owner, { scale: 100, report: (domain) => domains.push(domain) });
    expect(performance.now() - started).toBeLessThan(60_000);
    expect(domains).toHaveLength(seeds.length);
    const first = await sumsOf(other.owner);
    expect(first["public.user"]?.rows).toBe(demoUsers.length + demoStaff.length + 990);
    expect(first["public.organization"]?.rows).toBe(1 + 99);
    expect(first["public.resume_visit"]?.rows).toBe(990 * 5);
    await seedDatabase(other.owner, { scale: 100 });
    expect(await sumsOf(other.owner)).toEqual(first);

    // Another server, where the demo data came first and the crowd in two steps.
    const second = await startTestDatabase();
    await seedDatabase(second.owner);
    await seedDatabase(second.owner, { scale: 7 });
    await seedDatabase(second.owner, { scale: 100 });
    expect(await sumsOf(second.owner)).toEqual(first);
    await other.stop();
    await second.stop();
  }, 180_000);

  test("one of them signs in, and belongs to one company with an owner", async () => {
    await seedDatabase(database.owner, { scale: 3 });
    const people = await client.db.query.user.findMany({
      where: eq(user.email, "person-12@example.com"),
      with: { identities: true },
    });
    expect(people[0]?.identities[0]?.password).toMatch(/^scrypt\$/);
    const company = await client.db.query.organization.findFirst({
      where: and(eq(organization.slug, "company-2"), notDeleted(organization)),
      with: { members: true, teams: { with: { members: true } } },
    });
    expect(company?.members.map(({ role }) => role).sort()).toEqual(["admin", ...Array(8).fill("member"), "owner"]);
    expect(company?.teams.map(({ members }) => members.length)).toEqual([5, 5]);
  });
});
