import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resume, user } from "@repo/db";
import { connect } from "@repo/db/client";
import { openTunnel } from "@repo/dev/database";
import { startEmbedded } from "@repo/dev/embedded";
import { startPostgres } from "@repo/dev/postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDefinitions } from "../../test/catalogue.ts";
import { migrateDatabase } from "../migrate.ts";
import { seedDatabase } from "../seed.ts";
import { type ExportRequest, exportDatabase } from "./export-database.ts";
import { checkExport } from "./file.ts";
import { findObstacle, restoreDatabase } from "./restore-database.ts";

interface Server {
  owner: string;
  openLocal: ExportRequest["openLocal"];
  stop(): Promise<void>;
}

async function onPglite(): Promise<Server> {
  const { owner, close } = await startEmbedded({});
  return { owner, openLocal: () => openTunnel({ environment: "test" }, owner), stop: close };
}

async function onPostgres(): Promise<Server> {
  const { ownerUrl, stop } = await startPostgres();
  const target = { environment: "test", databaseUrl: ownerUrl } as const;
  return { owner: ownerUrl, openLocal: () => openTunnel(target, ownerUrl), stop };
}

const folder = mkdtempSync(join(tmpdir(), "fairlead-backup-"));
const running: Server[] = [];
const silent = { rows: () => {}, done: () => {} };
/** What breaks a careless reader of COPY's text format. */
const nasty = "tab\there\nline\\break\\n \\. \\N\r\0x é 漢字 🦭 'quote' \"double\" $roles$ -- Fairlead after".replace(
  "\0",
  "",
);

async function start(make: () => Promise<Server>): Promise<Server> {
  const server = await make();
  running.push(server);
  return server;
}

async function fill({ owner }: Server): Promise<void> {
  await migrateDatabase(owner);
  await seedDatabase(owner);
  const { db, close } = connect(owner);
  for (const name of [nasty, "\\.", "-- Fairlead rows", ""]) {
    await db.insert(user).values({ name, email: `${randomUUID()}@example.com` });
  }
  const [person] = await db.select().from(user).limit(1);
  if (!person) throw new Error("nobody is there");
  const document = { basics: { name: nasty, summary: "x".repeat(200_000) } };
  await db.insert(resume).values({
    userId: person.id,
    userEmail: person.email,
    name: nasty.slice(0, 90),
    slug: `backup-${randomUUID()}`,
    data: document,
    publicData: document,
  });
  await close();
}

const write = (server: Server, options: Partial<ExportRequest> = {}) =>
  exportDatabase({
    url: server.owner,
    openLocal: server.openLocal,
    folder,
    environment: "test",
    content: "all",
    tables: [],
    report: silent,
    ...options,
  });

async function restore(server: Server, path: string): Promise<void> {
  await restoreDatabase({ url: server.owner, path, ...(await checkExport(path)), report: silent });
}

async function readRows({ owner }: Server): Promise<unknown> {
  const { db, close } = connect(owner);
  const rows = [await db.select().from(user).orderBy(user.id), await db.select().from(resume).orderBy(resume.id)];
  await close();
  return rows;
}

afterAll(async () => {
  for (const server of running) await server.stop();
  rmSync(folder, { recursive: true });
});

describe.each([
  { from: "PGlite", to: "Postgres 17", make: [onPglite, onPostgres] },
  { from: "Postgres 17", to: "Postgres 17", make: [onPostgres, onPostgres] },
  { from: "PGlite", to: "PGlite", make: [onPglite, onPglite] },
] as const)("from $from to $to", ({ make: [makeSource, makeTarget] }) => {
  let source: Server;
  let target: Server;

  beforeAll(async () => {
    source = await start(makeSource);
    target = await start(makeTarget);
    await fill(source);
  }, 60_000);

  test("an empty server gets every row, grant, policy and function", async () => {
    const { path, sums } = await write(source);
    expect(sums["public.user"]?.rows).toBe(8);
    expect(await findObstacle(target.owner, await checkExport(path))).toBe("");
    await restore(target, path);
    expect(await readDefinitions(target.owner)).toEqual(await readDefinitions(source.owner));
    expect(await readRows(target)).toEqual(await readRows(source));
    expect((await write(target)).sums).toEqual(sums);
    expect(await migrateDatabase(target.owner)).toBe(0);
  }, 60_000);

  test("what is there is named, and replaced as a whole", async () => {
    const { db, close } = connect(target.owner);
    await db.insert(user).values({ name: "Later", email: "later@example.com" });
    const { path, sums } = await write(source);
    expect(await findObstacle(target.owner, await checkExport(path))).toBe("everything in it");
    await restore(target, path);
    expect(await db.$count(user)).toBe(sums["public.user"]?.rows);
    await close();
  }, 60_000);
});

describe("one server", () => {
  let server: Server;
  beforeAll(async () => {
    server = await start(onPglite);
    await fill(server);
  }, 60_000);

  test("the file is its owner's alone, and named after time and environment", async () => {
    const { path } = await write(server);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(path).toMatch(/fairlead-test-\d{8}T\d{9}Z\.sql$/);
    expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  test("a truncated, changed or foreign file is refused, and nothing is touched", async () => {
    const { path } = await write(server);
    const whole = readFileSync(path);
    const cases: [string, Buffer][] = [
      ["cut in the middle", whole.subarray(0, whole.length / 2)],
      ["without its last line", whole.subarray(0, whole.lastIndexOf("-- Fairlead sha256"))],
      ["one letter changed", Buffer.from(whole.toString().replace("Demo Person", "Demo Pirate"))],
      ["a line added", Buffer.concat([whole, Buffer.from('drop table "user";\n')])],
      ["only its first line", whole.subarray(0, whole.indexOf("\n"))],
      ["somebody else's dump", Buffer.from("-- PostgreSQL database dump\n\\restrict x\nselect 1;\n")],
      ["no text", Buffer.alloc(3_000_000, 0xff)],
      ["nothing", Buffer.alloc(0)],
    ];
    for (const [what, content] of cases) {
      writeFileSync(path, content);
      await expect(checkExport(path), what).rejects.toThrow(/is not whole, or was changed|is no export of db:export/);
    }
    await expect(checkExport(join(folder, "none.sql"))).rejects.toThrow("cannot be read (ENOENT)");
  });

  test("a restore that fails halfway, or does not add up, leaves everything as it was", async () => {
    const before = await readRows(server);
    const { path } = await write(server);
    const { head, sums } = await checkExport(path);
    const wrong = { ...sums, "public.user": { rows: 6, checksum: "0000000000000000" } };
    const attempt = restoreDatabase({ url: server.owner, path, head, sums: wrong, report: silent });
    await expect(attempt).rejects.toThrow("public.user did not come out as it was exported; nothing was changed.");
    expect(await readRows(server)).toEqual(before);
    // Cut off after it was checked, as by a full disk or a hand: the transaction never commits.
    truncateSync(path, Math.floor(statSync(path).size * 0.8));
    await expect(restoreDatabase({ url: server.owner, path, head, sums, report: silent })).rejects.toThrow(
      "The file ends in the middle of its rows; nothing was changed.",
    );
    expect(await readRows(server)).toEqual(before);
  }, 60_000);

  test("rows alone go into a database that is migrated, in place of its rows", async () => {
    const { path, sums } = await write(server, { content: "data" });
    expect(Object.keys(sums)).not.toContain("drizzle.__drizzle_migrations");
    const other = await start(onPglite);
    await expect(checkExport(path).then((file) => findObstacle(other.owner, file))).rejects.toThrow(
      /^The database has no public\..*: run db:migrate first\.$/,
    );
    await migrateDatabase(other.owner);
    expect(await findObstacle(other.owner, await checkExport(path))).toBe("");
    await restore(other, path);
    expect(await readRows(other)).toEqual(await readRows(server));
    expect(await findObstacle(other.owner, await checkExport(path))).toMatch(/^all rows of public\.user, /);
    await restore(other, path);
    expect((await write(other, { content: "data" })).sums).toEqual(sums);
  }, 60_000);

  test("definitions alone hold no row", async () => {
    const { path, sums } = await write(server, { content: "schema" });
    expect(sums).toEqual({});
    expect(readFileSync(path, "utf8")).not.toContain("demo@example.com");
    const other = await start(onPglite);
    await restore(other, path);
    const [made, source] = [await readDefinitions(other.owner), await readDefinitions(server.owner)];
    expect({ ...made, sequences: [] }).toEqual({ ...source, sequences: [] });
  }, 60_000);

  test("one table comes back into the database that lost it", async () => {
    await expect(write(server, { tables: ["users"] })).rejects.toThrow("There is no table public.users.");
    const { path, sums } = await write(server, { tables: ["resume_visit", "public.resume"] });
    expect(Object.keys(sums)).toEqual(["public.resume", "public.resume_visit"]);
    const [rows, catalogue] = [await readRows(server), await readDefinitions(server.owner)];
    expect(await findObstacle(server.owner, await checkExport(path))).toBe("public.resume, public.resume_visit");
    const { db, close } = connect(server.owner);
    await db.execute('drop table "resume_visit", "resume"');
    await close();
    await restore(server, path);
    expect(await readRows(server)).toEqual(rows);
    expect(await readDefinitions(server.owner)).toEqual(catalogue);
  }, 60_000);

  test.each([
    {
      what: "a row that fits no table",
      after: /public\."user" \(.*\) FROM stdin;\n/,
      text: "user_x\tTwice\n",
      says: /missing data/,
    },
    { what: "an unknown statement", after: /-- Fairlead after\n/, text: "select no_such();\n", says: /no_such/ },
  ])("$what undoes the whole", async ({ after, text, says }) => {
    const before = await readRows(server);
    const { path } = await write(server);
    const { head, sums } = await checkExport(path);
    writeFileSync(path, readFileSync(path, "utf8").replace(after, `$&${text}`));
    const attempt = restoreDatabase({ url: server.owner, path, head, sums, report: silent });
    await expect(attempt).rejects.toThrow(says);
    expect(await readRows(server)).toEqual(before);
  });

  test("a table that others refer to is not replaced behind their back", async () => {
    const before = await readRows(server);
    const { path } = await write(server, { tables: ["user"], content: "data" });
    await expect(restore(server, path)).rejects.toThrow(/cannot truncate a table referenced in a foreign key/);
    expect(await readRows(server)).toEqual(before);
  });
});

test("nothing is exported from an empty database", async () => {
  await expect(write(await start(onPglite))).rejects.toThrow("There is nothing to export: run db:migrate first.");
});
