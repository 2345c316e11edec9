import type { PGlite } from "@electric-sql/pglite";
import { runToEnd } from "@repo/dev/test/programs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { catalogueLints } from "../scripts/lint-catalogue.ts";
import { migrationLints } from "../scripts/lint-migrations.ts";
import { looseMark } from "../scripts/migrations.ts";
import { migratedScratch, queryOf } from "../scripts/scratch.ts";
import { chainOf } from "./chain.ts";

let scratch: PGlite;

beforeAll(async () => {
  scratch = await migratedScratch();
}, 60_000);
afterAll(() => scratch.close());

test.each([
  ["alter table resume add column rank integer not null", "adding-required-field"],
  ["create index resume_rank_idx on resume (rank)", "require-concurrent-index-creation"],
  ["drop index resume_user_idx", "require-concurrent-index-deletion"],
  ["alter table resume drop column name", "ban-drop-column"],
  ["drop table resume", "ban-drop-table"],
  ["drop database fairlead", "ban-drop-database"],
  ["truncate resume cascade", "ban-truncate-cascade"],
  ["alter table resume rename column name to title", "renaming-column"],
  ["alter table resume rename to cv", "renaming-table"],
  ["alter table resume alter column views type bigint", "changing-column-type"],
  ["alter table resume alter column thumbnail_url set not null", "adding-not-nullable-field"],
  ["alter table resume add constraint resume_rank_check check (views > 0)", "constraint-missing-not-valid"],
  ["alter table resume add constraint resume_name_unique unique (name)", "disallowed-unique-constraint"],
  ['alter table resume add foreign key (user_id) references "user" (id)', "adding-foreign-key-constraint"],
  ["alter table resume add column number serial", "prefer-identity"],
  ["alter table resume ad column rank integer", "syntax-error"],
])("in a migration, %s is found: %s", (sql, rule) => {
  const folder = chainOf({ bad: [`${sql};`] });
  expect(migrationLints(folder, "")).toContainEqual(expect.stringContaining(`20260101000000_bad.sql:1 ${rule}: `));
});

test("what is safe is left alone: a new table with all it has, an index built beside traffic, what its author accepted", () => {
  const folder = chainOf({
    table: [
      "create table note (id text primary key, user_id text not null, title text not null check (title <> ''));",
      'alter table note add constraint note_user_fk foreign key (user_id) references "user" (id) on delete cascade;',
      "create index note_user_idx on note (user_id);",
      "alter table resume add column rank integer;",
    ],
    index: [`${looseMark}\ncreate index concurrently if not exists resume_rank_idx on resume (rank);`],
    accepted: ["-- squawk-ignore ban-drop-column\nalter table resume drop column rank;"],
  });
  expect(migrationLints(folder, "")).toEqual([]);
});

test("before anything was deployed there were no rows to lock, but the SQL had to be SQL", () => {
  const folder = chainOf({ early: ["drop table resume;"], broken: ["creat table note ();"] });
  const lints = migrationLints(folder);
  expect(lints[0]).toBe("20260101000001_broken.sql:1 syntax-error: expected command, found IDENT");
  expect(lints.filter((line) => !line.includes("syntax-error"))).toEqual([]);
});

const note = `
  create table note (id text primary key, user_id text not null references "user" (id));
  create index note_user_idx on note (user_id);
  alter table note enable row level security;
  alter table note force row level security;`;

test.each([
  ["create table bare (id text primary key)", "bare: row-level security is not enabled"],
  ["alter table session no force row level security", "session: row-level security is not forced"],
  [`${note} grant select on note to support`, "note: support may SELECT, but no policy shows it a row"],
  [
    `${note} create policy note_read on note for select to support using (true); grant select, update (user_id) on note to support`,
    "note: support may UPDATE, but no policy shows it a row",
  ],
  [
    `${note} create policy note_own on note to authenticated using (user_id = auth.uid())`,
    "note: the policy note_own calls auth.*() for every row: write (select auth.…())",
  ],
  [
    `${note} create policy note_own on note to authenticated using (true) with check (user_id = (select auth.uid()) and auth.org() is null)`,
    "note: the policy note_own calls auth.*() for every row: write (select auth.…())",
  ],
  [`${note} drop index note_user_idx`, "note: no index serves the foreign key note_user_id_fkey"],
  [
    `${note} drop index note_user_idx; create index note_user_idx on note (id, user_id)`,
    "note: no index serves the foreign key note_user_id_fkey",
  ],
  [
    "create function auth.careless() returns int language sql as 'select 1'",
    "auth.careless(): its search_path is whoever calls it's: set search_path = ''",
  ],
  [
    "create function auth.open() returns int language sql security definer set search_path = '' as 'select 1'",
    "auth.open(): everybody may run it with its owner's rights: revoke execute from public",
  ],
  [`${note} superuser; alter table note owner to service`, "note: it belongs to the runtime role service"],
  ["alter role support bypassrls", "support: it bypasses row-level security"],
  [
    "create index session_again_idx on session (token)",
    "session: the index session_again_idx is the unique index session_token_unique again",
  ],
])("in a catalogue it is found: %$", async (sql, line) => {
  await scratch.exec("begin");
  try {
    for (const statement of sql.split(";")) {
      if (statement.trim() === "superuser") await scratch.exec("set local session authorization postgres");
      else await scratch.exec(statement);
    }
    expect(await catalogueLints(queryOf(scratch))).toEqual([line]);
  } finally {
    await scratch.exec("rollback");
  }
});

test("on the project there is nothing to find", async () => {
  expect(await catalogueLints(queryOf(scratch))).toEqual([]);
  expect(await runToEnd(["db/scripts/lint.ts"])).toEqual({ code: 0, output: "migrations and catalogue are clean\n" });
});
