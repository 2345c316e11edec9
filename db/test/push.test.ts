import { readdirSync } from "node:fs";
import { join } from "node:path";
import { startEmbedded } from "@repo/dev/embedded";
import { newFolder, runToEnd } from "@repo/dev/test/programs";
import { asked, startServer, type TestServer } from "@repo/dev/test/servers";
import type postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareCatalogues, readCatalogue } from "../scripts/catalogue.ts";
import { catalogueLints } from "../scripts/lint-catalogue.ts";
import { copyOfDb } from "./copy.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop());

const note = `
import { eq } from "drizzle-orm";
import { index, pgPolicy, pgTable, text } from "drizzle-orm/pg-core";
import { access } from "./access.ts";
import { idColumn, idText, timestamps } from "./columns.ts";
import { user } from "./identity.ts";
import { authenticated, authUid } from "./roles.ts";

export const note = pgTable("note", {
  id: idColumn("note"),
  userId: idText().notNull().references(() => user.id, { onDelete: "cascade" }),
  title: text().notNull(),
  draft: text(),
  ...timestamps(),
}, (table) => [
  index("note_user_idx").on(table.userId, table.id),
  pgPolicy("note_own_policy", { to: authenticated, using: eq(table.userId, authUid), withCheck: eq(table.userId, authUid) }),
]);
export const noteAccess = access(note, { authenticated: { select: "all", insert: "all", update: ["title"] } });
`;

const queried = (sql: postgres.Sql) => (text: string, parameters: unknown[]) =>
  sql.unsafe(text, parameters as postgres.ParameterOrJSON<never>[]);
const catalogueAt = (url: string) => asked(url, (sql) => readCatalogue(queried(sql)));
const lintsAt = (url: string) => asked(url, (sql) => catalogueLints(queried(sql)));

async function sequence(url: string): Promise<void> {
  const copy = copyOfDb();
  const at = { DATABASE_URL: url };
  expect((await copy.run("push", [], at)).output).toMatch(/\napplied \d+ migrations first\nnothing to push\n$/);

  copy.edit("schema/index.ts", (text) => `${text}export * from "./notes.ts";\n`);
  copy.write("schema/notes.ts", note);
  const made = await copy.run("push", [], at);
  expect(made.output).toContain('CREATE TABLE "note"');
  expect(made.output).not.toContain("migration file");
  expect(made.output).toMatch(
    /FORCE ROW LEVEL SECURITY;\nGRANT SELECT, INSERT, UPDATE \("title"\) ON "note" TO "authenticated";\npushed\n$/,
  );
  expect(await lintsAt(url)).toEqual([]);

  // A policy, a grant and an index change; nothing is taken away but for what replaces it.
  copy.edit("schema/notes.ts", (text) =>
    text
      .replace('["title"]', '["title", "draft"]')
      .replace("withCheck: eq(table.userId, authUid)", 'withCheck: eq(table.userId, authUid), for: "all"'),
  );
  expect((await copy.run("push", [], at)).output).toContain(
    'GRANT UPDATE ("draft") ON "note" TO "authenticated";\npushed\n',
  );

  copy.edit("schema/notes.ts", (text) => text.replace("  draft: text(),\n", "").replace(', "draft"]', "]"));
  const refused = await copy.run("push", [], at);
  expect(refused.output).toContain("1 of them take something away. Go on? Nobody is here to answer: add --force.");
  expect(refused.code).toBe(1);
  expect(await catalogueAt(url)).toHaveProperty(["column note.draft"]);
  expect((await copy.run("push", ["--force"], at)).output).toMatch(
    /ALTER TABLE "note" DROP COLUMN "draft";\npushed\n$/,
  );
  expect(await catalogueAt(url)).not.toHaveProperty(["column note.draft"]);

  expect((await copy.run("generate", ["--name", "notes"])).output).toContain("access: ");
  expect((await copy.run("push", [], at)).output).toMatch(/\nnothing to push\n$/);

  copy.edit("schema/notes.ts", (text) => text.replace(/ {2}pgPolicy\(.*\n/, ""));
  const bare = await copy.run("push", ["--force"], at);
  expect(bare.output).toContain('DROP POLICY "note_own_policy"');
  expect((await catalogueAt(url))["table note"]).toBe("owner: the owner, row-level security enabled and forced");
  copy.write("schema/notes.ts", note);
  expect((await copy.run("push", [], at)).code).toBe(0);
  const generated = await copy.run("generate", ["--name", "more_notes"]);
  expect(generated.code).toBe(0);
  const pushed = await catalogueAt(url);
  expect(await lintsAt(url)).toEqual([]);

  const noticed = await copy.run("migrate", [], at);
  expect(noticed.output).toMatch(
    /\ndb:push has changed this database beside the migrations, .*: bun db:reset makes it anew\.\n$/,
  );
  expect(noticed.code).toBe(1);
  expect((await copy.run("check", [], at)).code).toBe(8);

  expect((await copy.run("reset", ["--yes"], at)).code).toBe(0);
  expect(compareCatalogues(pushed, await catalogueAt(url))).toEqual([]);
  expect((await copy.run("migrate", [], at)).output).toMatch(/\nup to date\n$/);
  expect(await copy.run("check", [], at)).toMatchObject({ code: 0 });
  expect(readdirSync(join(copy.folder, "db/migrations")).filter((file) => file.includes("notes"))).toHaveLength(2);
}

test("after any sequence of push and generate the database is what the migrations then make: on Postgres", async () => {
  await sequence(await server.newDatabase());
}, 180_000);

test("on the embedded database too, row-level security and grants come with the table and stay", async () => {
  const embedded = await startEmbedded({});
  try {
    const copy = copyOfDb();
    const at = { DATABASE_URL: embedded.owner };
    copy.edit("schema/index.ts", (text) => `${text}export * from "./notes.ts";\n`);
    copy.write("schema/notes.ts", note);
    expect((await copy.run("push", [], at)).output).toMatch(/\npushed\n$/);
    expect(await lintsAt(embedded.owner)).toEqual([]);
    copy.edit("schema/notes.ts", (text) => text.replace(/ {2}pgPolicy\(.*\n/, ""));
    expect((await copy.run("push", ["--force"], at)).code).toBe(0);
    expect(await catalogueAt(embedded.owner)).toMatchObject({
      "table note": "owner: the owner, row-level security enabled and forced",
      "grant to authenticated on note.title": "UPDATE",
    });
  } finally {
    await embedded.close();
  }
}, 120_000);

test("what may have been renamed is asked about, not guessed", async () => {
  const copy = copyOfDb();
  const at = { DATABASE_URL: await server.newDatabase() };
  copy.edit("schema/resumes.ts", (text) =>
    text.replace("thumbnailUrl: text()", "pictureUrl: text()").replaceAll('"thumbnailUrl"', '"pictureUrl"'),
  );
  for (const command of ["push", "generate", "check"]) {
    const { code, output } = await copy.run(command, [], at);
    expect(output).toContain(
      "Something was added and something else taken away: renamed? Run it in a terminal, where it can ask.",
    );
    expect(code).not.toBe(0);
  }
});

test.each(["staging", "prod"])("it is refused for %s, with or without an address", async (ENVIRONMENT) => {
  const line = `db:push is for local databases: refused for ${ENVIRONMENT}.\n`;
  const push = ["db/scripts/push.ts", "--force"];
  expect(await runToEnd(push, { ENVIRONMENT, PGLITE_DIR: newFolder() })).toEqual({ code: 1, output: line });
  expect(await runToEnd(push, { ENVIRONMENT, DATABASE_URL: server.ownerUrl })).toEqual({ code: 1, output: line });
});
