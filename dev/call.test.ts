import { session } from "@repo/db";
import { connect } from "@repo/db/client";
import { migrateDatabase } from "@repo/db/scripts/migrate";
import { seedDatabase } from "@repo/db/scripts/seed";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Doors } from "./doors.ts";
import { startEmbedded } from "./embedded.ts";
import { newFolder, runToEnd } from "./test/programs.ts";

const folder = newFolder();
let database: Doors;

// This process serves the folder, as bun dev would.
beforeAll(async () => {
  database = await startEmbedded({ folder, role: "dev" });
  await migrateDatabase(database.owner);
  await seedDatabase(database.owner);
});
afterAll(() => database.close());

const call = (...args: string[]) => runToEnd(["dev/call.ts", ...args], { PGLITE_DIR: folder });

test("without a procedure it lists them with their kind", async () => {
  const { code, output } = await call();
  expect(code).toBe(0);
  expect(output).toMatch(/^resumes\.create +mutation$/m);
  expect(output).toMatch(/^user\.me +query$/m);
});

test("an anonymous call reads through the cached door; a wrong input is refused", async () => {
  const { code, output } = await call("resumes.bySlug", '{"slug":"demo-person"}');
  expect(output).toContain('"name": "Engineer"');
  expect(output).toMatch(/^1 trip, [\d.]+ ms$/m);
  expect(code).toBe(0);
  const wrong = await call("resumes.bySlug", '{"slug":1}');
  expect(wrong.output).toMatch(/^BAD_REQUEST: slug: .* \(invalid_input\)$/m);
  expect(wrong.code).toBe(1);
});

test("without an input it sends an empty one", async () => {
  const { code, output } = await call("resumes.list", "--as", "demo@example.com");
  expect(output).toContain('"slug": "demo-person"');
  expect(code).toBe(0);
});

test("--as writes as that user, in a session that is gone afterwards", async () => {
  const renamed = await call("user.update", '{"name":"Renamed"}', "--as", "second@example.com");
  expect(renamed.output).toContain('"name": "Renamed"');
  expect(renamed.code).toBe(0);
  const denied = await call("user.me");
  expect(denied.output).toMatch(/^UNAUTHENTICATED: Sign in first$/m);
  const { db, close } = connect(database.owner);
  expect(await db.$count(session)).toBe(0);
  await close();
});

test("what is queued runs", async () => {
  const { output } = await call("resumes.trackView", '{"slug":"demo-person"}');
  expect(output).toMatch(/^1 queued, run$/m);
  expect((await call("resumes.bySlug", '{"slug":"demo-person"}')).output).toContain('"views": 1');
});

test.each([
  [["nothing.here"], "There is no procedure nothing.here; bun call lists them."],
  [["user.me", "{"], "The input is no JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)"],
  [
    ["user.me", "--as", "nobody@example.com"],
    "Nobody has the address nobody@example.com; bun db:seed makes demo@example.com.",
  ],
  [["user.me", "{}", "more"], 'What is "more" for? (--help shows the options)'],
])("%j is refused in one line", async (args, line) => {
  expect(await call(...args)).toEqual({ code: 1, output: `${line}\n` });
});

test("staging and prod are refused", async () => {
  const end = await runToEnd(["dev/call.ts", "user.me"], { ENVIRONMENT: "prod", DATABASE_URL: "postgres://h/d" });
  expect(end).toEqual({ code: 1, output: "bun call is for local databases: refused for prod.\n" });
});
