import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newFolder, runToEnd } from "@repo/dev/test/programs";
import { asked, startServer, type TestServer } from "@repo/dev/test/servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repositoryFindings } from "../scripts/check.ts";
import { databaseFindings } from "../scripts/check-database.ts";
import { exitCodeOf } from "../scripts/findings.ts";
import { migrateDatabase } from "../scripts/migrator.ts";
import { migrationsFolder } from "../scripts/paths.ts";
import { copyOfDb } from "./copy.ts";

let server: TestServer;
let url: string;

beforeAll(async () => {
  server = await startServer();
  url = await server.newDatabase();
  await migrateDatabase(url);
}, 60_000);
afterAll(() => server.stop());

const check = ["db/scripts/check.ts"];

/** What `look` sees after `change`, which `undo` then takes back. */
async function after<T>(change: string, undo: string, look: () => Promise<T>): Promise<T> {
  const superuser = new URL(url);
  superuser.username = new URL(server.url).username;
  await asked(superuser.href, (sql) => sql.unsafe(change));
  try {
    return await look();
  } finally {
    await asked(superuser.href, (sql) => sql.unsafe(undo));
  }
}

/** Has a program end with the CPU time that it took: the time on the clock is as much its neighbours'. */
const timed =
  'data:text/javascript,process.on("exit",()=>console.log("cpu",Object.values(process.cpuUsage()).reduce((a,b)=>a+b)/1e6))';

test("when all is well it is quick and finds nothing, in prod as well", async () => {
  await databaseFindings(url);
  const { code, output } = await runToEnd(["--import", timed, ...check], { DATABASE_URL: url, ENVIRONMENT: "prod" });
  expect(output).toMatch(/^prod: 127\.0\.0\.1:\d+\/database_1; the migrations say what the schema says\ncpu \d/);
  expect(code).toBe(0);
  expect(Number(output.match(/cpu ([\d.]+)/)?.[1])).toBeLessThan(5);
}, 60_000);

test.each([
  {
    what: "a changed column",
    change: "alter table resume alter column views type bigint",
    undo: "alter table resume alter column views type integer",
    code: 16,
    says: "changed: column resume.views\n  is      bigint not null default 0\n  should  integer not null default 0\n",
  },
  {
    what: "a column too many",
    change: "alter table resume add column spare text",
    undo: "alter table resume drop column spare",
    code: 16,
    says: "unknown to the migrations: column resume.spare\n",
  },
  {
    what: "a dropped index",
    change: "drop index session_user_idx",
    undo: "create index session_user_idx on session (user_id); alter index session_user_idx owner to fairlead_owner",
    code: 16,
    says: "missing: index session.session_user_idx\n",
  },
  {
    what: "a policy altered by hand",
    change: "alter policy resume_public_policy on resume using (true)",
    undo: "alter policy resume_public_policy on resume using (is_public and deleted_at is null)",
    code: 16,
    says: "changed: policy resume.resume_public_policy\n  is      permissive select to app_cached, app_direct using true\n",
  },
  {
    what: "a missing grant",
    change: 'revoke select on "user" from support',
    undo: 'set role fairlead_owner; grant select on "user" to support',
    code: 16,
    says: "missing: grant to support on user\n",
  },
  {
    what: "a grant to everybody",
    change: 'set role fairlead_owner; grant select on "session" to public',
    undo: 'set role fairlead_owner; revoke select on "session" from public',
    code: 16,
    says: "unknown to the migrations: grant to public on session\n",
  },
  {
    what: "row-level security that is off",
    change: "alter table session disable row level security",
    undo: "alter table session enable row level security",
    code: 16,
    says: "changed: table session\n  is      owner: the owner, row-level security disabled and forced\n",
  },
  {
    what: "a dropped constraint",
    change: "alter table resume drop constraint resume_slug_check",
    undo: "alter table resume add constraint resume_slug_check check (slug ~ '^[a-z0-9-]{3,80}$')",
    code: 16,
    says: "missing: constraint resume.resume_slug_check\n",
  },
  {
    what: "a function written anew",
    change:
      "create or replace function auth.org() returns text language sql stable set search_path = '' as 'select null'",
    undo: `create or replace function auth.org() returns text language sql stable set search_path = '' as $$
	SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'org'
$$`,
    code: 16,
    says: "changed: function auth.org()\n",
  },
  {
    what: "a runtime role with BYPASSRLS",
    change: "alter role app_cached bypassrls",
    undo: "alter role app_cached nobypassrls",
    code: 32,
    says: "changed: role app_cached\n  is      bypassrls\n  should  \n",
  },
  {
    what: "a door that may become more",
    change: "grant service to app_cached",
    undo: "revoke service from app_cached",
    code: 32,
    says: "unknown to the migrations: member app_cached of service\n",
  },
  {
    what: "an owner without BYPASSRLS",
    change: "alter role fairlead_owner nobypassrls",
    undo: "alter role fairlead_owner bypassrls",
    code: 32,
    says: "the owner fairlead_owner lacks BYPASSRLS: under forced row-level security its backfills",
  },
  {
    what: "another auth.uid()",
    change: "create or replace function auth.uid() returns text language sql as 'select null::text'",
    undo: `create or replace function auth.uid() returns text language sql stable set search_path = '' as $$
	SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub'
$$`,
    code: 64,
    says: "auth.uid() is not this project's: it belongs to the role fairlead_owner and returns text\n",
  },
])("it finds $what", async ({ change, undo, code, says }) => {
  const findings = await after(change, undo, () => databaseFindings(url));
  expect(`${findings.map(({ text }) => text).join("\n")}\n`).toContain(says);
  expect(exitCodeOf(findings)).toBe(code);
});

test("the command shows all it finds; its exit code is the sum", async () => {
  const { code, output } = await after(
    "drop index session_user_idx; alter role app_direct createrole",
    "create index session_user_idx on session (user_id); alter role app_direct nocreaterole",
    () => runToEnd(check, { DATABASE_URL: url, ENVIRONMENT: "prod" }),
  );
  expect(output).toBe(
    "missing: index session.session_user_idx\nchanged: role app_direct\n  is      createrole\n  should  \n",
  );
  expect(code).toBe(48);
});

test("after all of that nothing is left to find", async () => {
  expect(await databaseFindings(url)).toEqual([]);
});

test("it finds migrations that the database lacks, that were edited, and that nobody knows here", async () => {
  const other = await server.newDatabase();
  expect(await databaseFindings(other)).toEqual([
    { kind: "history", text: expect.stringMatching(/^(\d+) of \1 migrations are not applied: db:migrate$/) },
  ]);
  await migrateDatabase(other);
  await asked(other, (sql) => sql`update drizzle.__drizzle_migrations set hash = 'other' where id = 2`);
  expect(await databaseFindings(other)).toEqual([
    { kind: "history", text: "20261121055629_tables.sql was edited after it was applied" },
  ]);
  await asked(other, (sql) => sql`update drizzle.__drizzle_migrations set created_at = created_at + 1 where id = 2`);
  expect((await databaseFindings(other)).map(({ text }) => text)).toContainEqual(
    expect.stringMatching(/^the database has a migration of 2026-11-21T.* that is not here$/),
  );
});

test("a database that brings an auth.uid() of its own is named before anything is migrated", async () => {
  const other = await server.newDatabase();
  await asked(other, async (sql) => {
    await sql`create schema auth`;
    await sql`create function auth.uid() returns uuid language sql as 'select null::uuid'`;
  });
  const { code, output } = await runToEnd(check, { DATABASE_URL: other });
  expect(output).toContain(
    "auth.uid() is not this project's: it belongs to the role fairlead_owner and returns uuid\n",
  );
  expect(code).toBe(8 + 64);
});

/** A copy of the migrations, changed by `change`. */
async function withMigrations(change: (folder: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-migrations-"));
  try {
    cpSync(migrationsFolder, folder, { recursive: true });
    change(folder);
    const findings = await repositoryFindings(folder);
    return { code: exitCodeOf(findings), text: findings.map(({ text }) => text).join("\n") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const snapshots = readdirSync(join(migrationsFolder, "meta")).filter((file) => file.endsWith("_snapshot.json"));
const [secondLast = "", last = ""] = snapshots.sort().slice(-2);

test("it finds a deleted snapshot", async () => {
  const found = await withMigrations((folder) => rmSync(join(folder, "meta", secondLast)));
  expect(found.code).toBe(4);
  expect(found.text).toContain(`the snapshot meta/${secondLast} is missing`);
});

test("it finds the migrations of two branches that clash", async () => {
  const found = await withMigrations((folder) => {
    const path = join(folder, "meta", last);
    const before = JSON.parse(readFileSync(join(folder, "meta", secondLast), "utf8"));
    // Both were generated on top of the same one.
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), prevId: before.prevId }));
  });
  expect(found.code).toBe(4);
  expect(found.text).toMatch(/was not generated on top of .*: two branches clash; generate it again/);
});

test("it finds a journal out of order, a file that is missing and one that nobody lists", async () => {
  const found = await withMigrations((folder) => {
    const path = join(folder, "meta/_journal.json");
    const journal = JSON.parse(readFileSync(path, "utf8"));
    const [one, two, ...rest] = journal.entries;
    writeFileSync(path, JSON.stringify({ ...journal, entries: [two, one, ...rest] }));
    writeFileSync(join(folder, "20990101000000_stray.sql"), "select 1;");
    rmSync(join(folder, `${one.tag}.sql`));
  });
  expect(found.code).toBe(4);
  expect(found.text).toContain("20261121055628_roles stands after 20261121055629_tables in the journal but is older");
  expect(found.text).toContain("20261121055628_roles.sql is missing");
  expect(found.text).toContain("20990101000000_stray.sql is not in the journal");
});

test("a journal in which two branches met is named by whatever reads it", async () => {
  const copy = copyOfDb();
  const journal =
    'meta/_journal.json is no JSON: did two branches meet in it? See docs/troubleshooting.md, "Migrations';
  copy.edit("migrations/meta/_journal.json", (text) => text.replace("[", "[\n<<<<<<< HEAD"));
  for (const [command, code] of Object.entries({ check: 4, migrate: 1, generate: 1 })) {
    const found = await copy.run(command, [], { DATABASE_URL: url });
    expect(found.output.trim().split("\n").at(-1)).toBe(`${journal} clash".`);
    expect(found.code).toBe(code);
  }
  rmSync(copy.folder, { recursive: true });
});

test("a migration that cannot stand where it stands is named", async () => {
  const copy = copyOfDb();
  await copy.run("generate", ["--custom", "--name", "twice"]);
  const [file = ""] = readdirSync(join(copy.folder, "db/migrations")).filter((name) => name.endsWith("_twice.sql"));
  copy.write(`migrations/${file}`, "create table organization (id text);");
  const { code, output } = await copy.run("check", ["--offline"]);
  expect(output).toBe(
    `${file} cannot be applied after the files before it: relation "organization" already exists. Mend it, then db:check.\n`,
  );
  expect(code).toBe(1);
  rmSync(copy.folder, { recursive: true });
});

test("it finds what the schema has and the migrations lack", async () => {
  const found = await withMigrations((folder) => {
    const path = join(folder, "meta", last);
    const snapshot = JSON.parse(readFileSync(path, "utf8"));
    delete snapshot.tables["public.session"].indexes.session_user_idx;
    writeFileSync(path, JSON.stringify(snapshot));
  });
  expect(found.code).toBe(2);
  expect(found.text).toContain('CREATE INDEX "session_user_idx" ON "session"');
});

test("without a local database there is nothing to compare; staging without an address is refused", async () => {
  const none = await runToEnd(check, { PGLITE_DIR: newFolder() });
  expect(none).toEqual({
    code: 0,
    output: "dev: there is no local database yet; the migrations say what the schema says\n",
  });
  const refused = await runToEnd(check, { ENVIRONMENT: "staging" });
  expect(refused.output).toBe("DATABASE_URL is not set for staging: put it into .env.staging.local.\n");
  expect(refused.code).toBe(1);
  const away = await runToEnd(check, { DATABASE_URL: "postgres://u:hunter2@127.0.0.1:1/d" });
  expect(away.output).toMatch(/^The database is out of reach/);
  expect(away.code).toBe(1);
});
