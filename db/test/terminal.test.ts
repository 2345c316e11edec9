import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { freePort, hasTerminals, runOnTerminal } from "@repo/dev/test/programs";
import { asked, startServer, type TestServer } from "@repo/dev/test/servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrateDatabase, migrationCount } from "../scripts/migrate.ts";
import { chainOf } from "./chain.ts";
import { type Copy, copyOfDb } from "./copy.ts";

const runner = "scripts/run.ts";
const hasBun = spawnSync("bun", ["--version"]).status === 0;
const keys = { enter: "\r", down: "\x1b[B", interrupt: "\x03", end: "\x04" };

let server: TestServer;
const copies: Copy[] = [];

beforeAll(async () => {
  if (hasTerminals) server = await startServer();
}, 60_000);
afterAll(async () => {
  await server?.stop();
  for (const { folder } of copies) rmSync(folder, { recursive: true });
});

function newCopy(): Copy & { program(name: string): string } {
  const copy = copyOfDb();
  copies.push(copy);
  return { ...copy, program: (name) => join(copy.folder, `db/scripts/${name}.ts`) };
}

/** As package.json starts it, or by itself. */
const programOf = (args: string[]) => [args[0] === runner ? "bun" : process.execPath, ...args];

/** Runs a command, types once the question stands there, and waits for its end. */
async function answer(args: string[], [question, typed]: [RegExp, string], variables: NodeJS.Dict<string>) {
  const program = runOnTerminal(programOf(args), variables);
  await program.says(question);
  program.types(typed);
  return { code: await program.ended, output: program.output() };
}

const no = (question: RegExp): [RegExp, string] => [question, `no${keys.enter}`];
const yes = (question: RegExp): [RegExp, string] => [question, `yes${keys.enter}`];
const countAt = (url: string, table: string) =>
  asked(url, async (sql) => (await sql`select count(*)::int as n from ${sql(table)}`)[0]?.n);

const onTerminal = test.skipIf(!hasTerminals);
const throughBun = test.skipIf(!hasTerminals || !hasBun);
const apply = /Apply 1 to prod\? \[y\/N\] /;

onTerminal.each([
  ["Enter", keys.enter],
  ["no", `no${keys.enter}`],
  ["yesterday", `yesterday${keys.enter}`],
  ["Ctrl-C", `ye${keys.interrupt}`],
  ["Ctrl-D", keys.end],
])("%s is no yes", async (_, typed) => {
  const url = await server.newDatabase();
  const chain = chainOf({ one: ["create table one (id int)"] });
  const args = ["db/scripts/migrate.ts", "--folder", chain];
  const { code, output } = await answer(args, [apply, typed], { DATABASE_URL: url, ENVIRONMENT: "prod" });
  expect(output).toMatch(/\nNothing was changed\.\r\n$/);
  expect(output).not.toMatch(/\n {4}at /);
  expect(code).toBe(1);
  expect(await asked(url, (sql) => sql`select from pg_tables where schemaname in ('public', 'drizzle')`)).toEqual([]);
});

throughBun.each(["y", " YES "])("%j goes ahead, also through what package.json starts", async (word) => {
  const url = await server.newDatabase();
  const chain = chainOf({ one: ["create table one (id int)"] });
  const args = [runner, "db/scripts/migrate.ts", "--folder", chain];
  const typed = word + keys.enter;
  const { code, output } = await answer(args, [apply, typed], { DATABASE_URL: url, ENVIRONMENT: "prod" });
  expect(output).toMatch(/\napplied 1\r\n$/);
  expect(code).toBe(0);
  expect(await countAt(url, "one")).toBe(0);
});

onTerminal(
  "db:reset, db:roles and db:restore ask before they replace",
  async () => {
    const { program, folder, run } = newCopy();
    const url = await server.newDatabase();
    const at = { DATABASE_URL: url };
    await migrateDatabase(url);
    const wipe = /Delete all data in 127\.0\.0\.1:\d+\/\w+\? \[y\/N\] /;
    expect((await answer([program("reset")], no(wipe), at)).code).toBe(1);
    expect(await countAt(url, "user")).toBe(0);
    expect((await answer([program("reset")], yes(wipe), at)).output).toMatch(/and the demo data\r\n$/);
    expect(await countAt(url, "user")).toBe(4);

    await run("roles", [], at);
    const passwords = () =>
      asked(server.url, (sql) => sql`select rolpassword from pg_authid where rolname like 'app\_%' order by rolname`);
    const before = await passwords();
    const replace = /Replace the passwords of app_cached and app_direct\? .* \[y\/N\] /;
    expect((await answer([program("roles")], no(replace), at)).code).toBe(1);
    expect(await passwords()).toEqual(before);
    expect((await answer([program("roles")], yes(replace), at)).code).toBe(0);
    expect(await passwords()).not.toEqual(before);

    await run("export", [], at);
    const [file = ""] = readdirSync(join(folder, "db/backups"));
    await asked(url, (sql) => sql`delete from "user"`);
    const everything = /Replace everything in it with the export of dev from .* UTC\? \[y\/N\] /;
    expect((await answer([program("restore"), file], no(everything), at)).code).toBe(1);
    expect(await countAt(url, "user")).toBe(0);
    expect((await answer([program("restore"), file], yes(everything), at)).output).toMatch(/every row as it was\r\n$/);
    expect(await countAt(url, "user")).toBe(4);
  },
  180_000,
);

onTerminal(
  "a rename is asked about; db:push asks before it drops, and db:migrate offers to begin anew",
  async () => {
    const { program, edit, folder } = newCopy();
    const url = await server.newDatabase();
    const at = { DATABASE_URL: url };
    edit("schema/resumes.ts", (text) =>
      text.replace("thumbnailUrl: text()", "pictureUrl: text()").replaceAll('"thumbnailUrl"', '"pictureUrl"'),
    );
    const renamed = /Is picture_url column in resume table created or renamed/;
    const rename: [RegExp, string] = [renamed, keys.down + keys.enter];
    expect((await answer([program("generate"), "--name", "picture"], rename, {})).code).toBe(0);
    const made = readdirSync(join(folder, "db/migrations")).filter((name) => name.endsWith("_picture.sql"));
    expect(readFileSync(join(folder, "db/migrations", made[0] ?? ""), "utf8")).toContain(
      'RENAME COLUMN "thumbnail_url" TO "picture_url"',
    );

    edit("schema/resumes.ts", (text) => text.replace("pictureUrl: text(),", "").replaceAll('"pictureUrl",', ""));
    const drop = /1 of them take something away\. Go on\? \[y\/N\] /;
    expect((await answer([program("push")], no(drop), at)).code).toBe(1);
    const columns = () =>
      asked(url, (sql) => sql`select from information_schema.columns where column_name = 'picture_url'`);
    expect(await columns()).toHaveLength(1);
    const pushed = await answer([program("push")], yes(drop), at);
    expect(pushed.output).toMatch(/DROP COLUMN "picture_url";\r\n[\s\S]*pushed\r\n$/);
    expect(await columns()).toHaveLength(0);

    const anew = /Delete its data and make it anew \(db:reset\)\? \[y\/N\] /;
    expect((await answer([program("migrate")], no(anew), at)).code).toBe(1);
    expect(await columns()).toHaveLength(0);
    const { output } = await answer([program("migrate")], yes(anew), at);
    expect(output).toContain(`dev: applied ${migrationCount() + 1} migrations, and the demo data`);
    expect(await columns()).toHaveLength(1);
  },
  180_000,
);

throughBun("db:studio opens prod after a yes, and Ctrl-C ends it", async () => {
  const at = { DATABASE_URL: await server.newDatabase(), ENVIRONMENT: "prod" };
  const args = [runner, "db/scripts/studio.ts", "--port", String(await freePort())];
  const open = /Open prod, to read and to write\? \[y\/N\] /;
  expect((await answer(args, no(open), at)).code).toBe(1);
  const studio = runOnTerminal(programOf(args), at);
  await studio.says(open);
  studio.types(`yes${keys.enter}`);
  await studio.says(/up and running/);
  studio.types(keys.interrupt);
  expect(await studio.ended).toBe(0);
});

onTerminal("db:down removes the data after a yes alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-docker-"));
  const log = join(folder, "log");
  writeFileSync(join(folder, "docker"), `#!/bin/sh\necho "$@" >> '${log}'\n`);
  chmodSync(join(folder, "docker"), 0o755);
  const PATH = [folder, "/usr/bin", "/bin", dirname(process.execPath)].join(delimiter);
  const remove = /Remove the container fairlead-postgres and all its data\? \[y\/N\] /;
  const removed = () => existsSync(log) && readFileSync(log, "utf8").includes("down --volumes");
  expect((await answer(["db/scripts/compose.ts", "down"], no(remove), { PATH })).code).toBe(1);
  expect(removed()).toBe(false);
  expect((await answer(["db/scripts/compose.ts", "down"], yes(remove), { PATH })).code).toBe(0);
  expect(removed()).toBe(true);
  rmSync(folder, { recursive: true });
});
