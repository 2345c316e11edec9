import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eq, organization, resume, user } from "@repo/db";
import { connect } from "@repo/db/client";
import { backupsFolder } from "@repo/db/scripts/paths";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { doorsAt } from "./doors.ts";
import { hasPsql } from "./hyperdrive/testing/setting.ts";
import { areFree, eventually, freePort, newFolder, type Program, run, runToEnd } from "./test/programs.ts";

const folder = newFolder();
const programs: Program[] = [];
const backups: string[] = [];
let port: number;
let studioPort: number;

beforeAll(async () => {
  mkdirSync(backupsFolder, { recursive: true });
  port = await freePort();
  studioPort = await freePort();
});
afterEach(async () => {
  for (const { child } of programs) child.kill("SIGTERM");
  await Promise.all(programs.splice(0).map(({ ended }) => ended));
});
afterAll(() => {
  for (const name of backups) rmSync(join(backupsFolder, name), { force: true });
});

const variables = () => ({ PORT: String(port), PGLITE_DIR: folder });
const command = (name: string, ...args: string[]) => runToEnd([`db/scripts/${name}.ts`, ...args], variables());

async function start(args: string[], ready: RegExp): Promise<Program> {
  const program = run(args, variables());
  programs.push(program);
  await program.says(ready);
  return program;
}

const startDev = () => start(["dev/start.ts"], /^ready http:/m);
const startStudio = () => start(["db/scripts/studio.ts", "--port", String(studioPort)], /up and running/);

interface Answer {
  status: number;
  text: string;
}

/** Asks Drizzle Studio's server as its page does. */
async function askStudio(sql: string, origin = "https://local.drizzle.studio"): Promise<Answer> {
  const body = JSON.stringify({ type: "proxy", data: { sql, params: [], method: "values" } });
  const headers = { "content-type": "application/json", origin };
  const response = await fetch(`http://127.0.0.1:${studioPort}/`, { method: "POST", headers, body });
  return { status: response.status, text: await response.text() };
}

async function readPublished(): Promise<Answer> {
  const input = encodeURIComponent(JSON.stringify({ slug: "demo-person" }));
  const response = await fetch(`http://127.0.0.1:${port}/api/trpc/resumes.bySlug?input=${input}`);
  return { status: response.status, text: await response.text() };
}

async function psql(url: string, sql: string): Promise<string> {
  if (!hasPsql) {
    const { db, close } = connect(url);
    const rows = await db.execute(sql);
    await close();
    return rows.map((row) => Object.values(row).join("|")).join("\n");
  }
  const { execFile } = await import("node:child_process");
  const { promisify } = await import("node:util");
  const { stdout, stderr } = await promisify(execFile)("psql", [
    url,
    "-X",
    "-A",
    "-t",
    "-v",
    "ON_ERROR_STOP=1",
    "-c",
    sql,
  ]);
  expect(stderr).toBe("");
  return stdout.trim();
}

async function asUser(url: string): Promise<number> {
  const { db, rlsDb, close } = connect(url);
  const [person] = await db.select().from(user).where(eq(user.email, "demo@example.com"));
  const seen = await rlsDb.rls(person?.id ?? "", "user", (tx) => tx.select({ id: user.id }).from(user));
  await db.insert(organization).values({ name: "At once", slug: `at-once-${crypto.randomUUID()}` });
  await close();
  return seen.length;
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round < times; round++) results.push(await work());
  return results;
}

/** A run of tests, which bring a database of their own and leave this one alone. */
const runTests = () => {
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "db", "db/client.test.ts"];
  return runToEnd(vitest, { ...variables(), NO_COLOR: "1" });
};

test("app, studio, seed, psql, export, a client and the tests run at the same time without an error", async () => {
  const dev = await startDev();
  const studio = await startStudio();
  const { owner } = doorsAt({ cached: port + 1, direct: port + 2, origin: port + 3 }, "fairlead_owner");
  const count = 'select count(*) from "user"';
  const [pages, seen, listed, counted, seeded, exported, tested] = await Promise.all([
    repeat(30, readPublished),
    repeat(10, () => asUser(owner)),
    repeat(10, () => psql(owner, "select name from organization where slug = 'demo-company'")),
    repeat(20, () => askStudio(count)),
    command("seed", "--scale", "5"),
    command("export", "--data-only"),
    runTests(),
  ]);
  expect([...new Set(pages.map(({ status }) => status))]).toEqual([200]);
  expect(pages[0]?.text).toContain("Backend engineer");
  expect(seen).toEqual(Array(10).fill(1));
  expect([...new Set(listed)]).toEqual(["Demo Company"]);
  expect([...new Set(counted.map(({ status }) => status))]).toEqual([200]);
  expect(seeded.code, seeded.output).toBe(0);
  expect(exported.code, exported.output).toBe(0);
  expect(tested.output).toMatch(/Tests +\d+ passed \(\d+\)/);
  expect(tested.code, tested.output).toBe(0);
  backups.push(String(exported.output.match(/fairlead-dev-[\w-]+\.sql/)));
  expect((await askStudio(count)).text).toBe('[{"count":"44"}]');
  expect(dev.output()).not.toMatch(/error/i);
  expect(studio.output()).not.toMatch(/error/i);
}, 180_000);

test("studio edits a row, for its own page alone, and stops with the database that it started", async () => {
  const studio = await startStudio();
  expect((await askStudio(`update "user" set name = 'By studio' where email = 'demo@example.com'`)).status).toBe(200);
  expect((await askStudio(`select name from "user" where email = 'demo@example.com'`)).text).toContain("By studio");
  const foreign = await askStudio(`delete from "user"`, "https://evil.example");
  expect(foreign).toEqual({ status: 403, text: "Only https://local.drizzle.studio may ask.\n" });
  expect((await askStudio('select count(*) from "user"')).text).toBe('[{"count":"44"}]');

  const taken = await command("studio", "--port", String(studioPort));
  const line = `Port ${studioPort} is taken by another program: stop what uses it, or choose another with --port.\n`;
  expect(taken).toEqual({ code: 1, output: line });
  studio.child.kill("SIGINT");
  expect(await studio.ended).toBe(0);
  expect(await eventually(() => areFree(studioPort))).toBe(true);
}, 120_000);

test("an export goes back while bun dev serves, which serves on", async () => {
  await startDev();
  const known = new Set(readdirSync(backupsFolder));
  const exported = await command("export");
  expect(exported.output).toMatch(
    /\(through bun dev\)[\s\S]*wrote db\/backups\/fairlead-dev-.*\.sql: \d+ tables, [\d,]+ rows\n/,
  );
  const [name = ""] = readdirSync(backupsFolder).filter((file) => !known.has(file));
  backups.push(name);

  const { owner } = doorsAt({ cached: port + 1, direct: port + 2, origin: port + 3 }, "fairlead_owner");
  await psql(owner, `delete from "user" where email = 'demo@example.com'`);
  const unasked = await command("restore", name);
  expect(unasked.code).toBe(1);
  expect(unasked.output).toMatch(
    /Replace everything in it with the export of dev .*\? Nobody is here to answer: add --yes\.\n$/,
  );
  const restored = await command("restore", name, "--yes");
  expect(restored.output).toMatch(/restored the export of dev from .*: \d+ tables, every row as it was\n$/);
  expect(restored.code).toBe(0);
  const { db, close } = connect(owner);
  expect(await db.$count(resume, eq(resume.slug, "demo-person"))).toBe(1);
  await close();
  expect((await readPublished()).status).toBe(200);
  const call = await runToEnd(["dev/call.ts", "user.me", "--as", "demo@example.com"], variables());
  expect(call.output).toContain('"email": "demo@example.com"');
}, 180_000);

test.each(["export", "restore", "studio", "seed", "erd"])("db:%s explains itself", async (name) => {
  const { code, output } = await command(name, "--help");
  expect(output).toMatch(new RegExp(`^bun db:${name}`));
  expect(code).toBe(0);
});

test.each([
  ["export", ["--table", "users"], {}, "There is no table public.users."],
  ["export", ["--data", "--data-only"], {}, "Choose one of --data, --data-only and --schema-only."],
  ["export", [], { ENVIRONMENT: "staging" }, "DATABASE_URL is not set for staging: put it into .env.staging.local."],
  ["restore", [], {}, "Which file? (--help shows the options)"],
  ["restore", ["/nowhere/missing.sql"], {}, "/nowhere/missing.sql cannot be read (ENOENT)."],
  ["restore", ["package.json"], {}, "package.json is no export of db:export."],
  [
    "studio",
    [],
    { ENVIRONMENT: "prod", DATABASE_URL: "postgres://h/d" },
    "Open prod, to read and to write? Nobody is here to answer: add --yes.",
  ],
  ["studio", [], { ENVIRONMENT: "staging" }, "DATABASE_URL is not set for staging: put it into .env.staging.local."],
  ["seed", ["--scale", "many"], {}, '--scale is "many": it must be a number from 1 to 1000.'],
  [
    "seed",
    ["--scale", "100"],
    { ENVIRONMENT: "prod", DATABASE_URL: "postgres://h/d" },
    "db:seed writes demo data: refused for prod.",
  ],
])("db:%s %j %j is refused in one line", async (...[name, args, wrong, line]) => {
  const end = await runToEnd([`db/scripts/${name}.ts`, ...args], { ...variables(), ...wrong });
  expect(end.output.trim().split("\n").at(-1)).toBe(line);
  expect(end.code).toBe(1);
});
