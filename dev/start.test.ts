import { existsSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { eq, resume, resumeVisit, user, verification } from "@repo/db";
import { connect } from "@repo/db/client";
import { rootFolder } from "@repo/db/scripts/paths";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { doorsAt } from "./doors.ts";
import { findHolder, lockFileOf } from "./lock.ts";
import { areFree, eventually, freePort, newFolder, type Program, run, runToEnd } from "./test/programs.ts";

const folder = newFolder();
let port: number;
let started: Program | undefined;

beforeAll(async () => {
  port = await freePort();
});
afterEach(async () => {
  started?.child.kill("SIGTERM");
  await started?.ended;
});

const variables = () => ({ PORT: String(port), PGLITE_DIR: folder });

async function startDev(): Promise<Program> {
  started = run(["dev/start.ts"], variables());
  await started.says(/^ready http:/m);
  return started;
}

const isGone = () => eventually(async () => !existsSync(lockFileOf(folder)) && (await areFree(port)));

async function userCount(): Promise<number> {
  const { owner } = doorsAt({ cached: port + 1, direct: port + 2, origin: port + 3 }, "fairlead_owner");
  const { db, close } = connect(owner);
  try {
    return await db.$count(user);
  } finally {
    await close();
  }
}

describe("bun dev", () => {
  test("serves a migrated database with demo data, beside other commands, and leaves nothing behind", async () => {
    const dev = await startDev();
    expect(dev.output()).toContain(`ready http://127.0.0.1:${port}\n`);
    expect(dev.output()).toMatch(/applied \d+ migrations\nwrote the demo data\n/);
    expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(200);

    const migrate = await runToEnd(["db/scripts/migrate.ts"], variables());
    expect(migrate).toEqual({ code: 0, output: `dev: ${folder} (through bun dev)\nup to date\n` });
    const call = await runToEnd(["dev/call.ts", "user.me", "--as", "demo@example.com"], variables());
    expect(call.output).toMatch(/"email": "demo@example.com"[\s\S]*^1 trip, [\d.]+ ms$/m);
    expect(call.code).toBe(0);

    const again = await runToEnd(["dev/start.ts"], { ...variables(), PORT: String(await freePort()) });
    expect(again).toEqual({
      code: 1,
      output: `${folder} is in use by process ${dev.child.pid}: stop that one, or set PGLITE_DIR to another folder.\n`,
    });

    dev.child.kill("SIGINT");
    expect(await dev.ended).toBe(0);
    expect(await isGone()).toBe(true);
  });

  test("carries the example of a frontend's first call", async () => {
    await startDev();
    const call = await runToEnd(["examples/first-call.ts", `http://127.0.0.1:${port}`], variables());
    expect(call.output).toMatch(/its owner edits it and reads the edit at once: Founder\nall good\n$/);
    expect(call.code).toBe(0);
  });

  test("runs queued and scheduled work through the same doors", async () => {
    await startDev();
    const { owner } = doorsAt({ cached: port + 1, direct: port + 2, origin: port + 3 }, "fairlead_owner");
    const { db, close } = connect(owner);
    try {
      const [seen] = await db.select().from(resume).where(eq(resume.isPublic, true)).limit(1);
      const visit = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ slug: seen?.slug }),
      };
      expect((await fetch(`http://127.0.0.1:${port}/api/trpc/resumes.trackView`, visit)).status).toBe(200);
      const isCounted = () => db.$count(resumeVisit).then((count) => count === 1);
      expect(await eventually(isCounted)).toBe(true);

      const past = new Date(Date.now() - 1000);
      await db.insert(verification).values({ identifier: "a", value: "b", expiresAt: past });
      const cron = encodeURIComponent("17 3 * * *");
      expect((await fetch(`http://127.0.0.1:${port}/cdn-cgi/handler/scheduled?cron=${cron}`)).status).toBe(200);
      expect(await eventually(() => db.$count(verification).then((count) => count === 0))).toBe(true);
    } finally {
      await close();
    }
  });

  test("finds its data again, also after a reload of the worker and after being killed", async () => {
    const first = await startDev();
    expect(first.output()).not.toMatch(/applied|wrote/);
    const before = await userCount();
    expect(before).toBeGreaterThan(2);
    const source = join(rootFolder, "api/worker.ts");
    utimesSync(source, new Date(), new Date());
    await first.says(/Reloading|updated/);
    expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(200);
    const reset = await runToEnd(["db/scripts/reset.ts"], variables());
    expect(reset.output).toContain("is new:");
    expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(200);

    first.child.kill("SIGKILL");
    expect(await first.ended).toBe("SIGKILL");
    expect(await eventually(() => areFree(port))).toBe(true);
    expect(findHolder(lockFileOf(folder))).toBeUndefined();

    await startDev();
    expect(await userCount()).toBe(4);
  });

  test("ends with the command that started it", async () => {
    const program = `const { spawn } = require("node:child_process");
      spawn(process.execPath, ["dev/start.ts"], { stdio: "inherit", env: { ...process.env, FAIRLEAD_RUNNER: String(process.pid) } });`;
    const parent = run(["-e", program], variables());
    await parent.says(/^ready http:/m);
    parent.child.kill("SIGKILL");
    expect(await isGone()).toBe(true);
  });
});

test.each([0, 1, 2, 3, 4])("a taken port (PORT + %i) is one line", async (offset) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(port + offset, "127.0.0.1", resolve));
  const end = await runToEnd(["dev/start.ts"], variables());
  taken.close();
  expect(end).toEqual({
    code: 1,
    output: `Port ${port + offset} is taken by another program: stop what uses it, or set PORT to another number.\n`,
  });
});

test.each([
  [{ PORT: "http" }, 'PORT is "http": it must be a number from 1 to 65531; the four ports after it are used too.'],
  [
    { DATABASE_URL: "mysql://h/d" },
    "DATABASE_URL must be an address such as postgres://user:password@host:5432/database.",
  ],
  [{ ENVIRONMENT: "prod" }, "bun dev is for local databases: refused for prod."],
  [
    { DATABASE_URL: "postgres://x:y@127.0.0.1:1/nope" },
    "The database is out of reach (ECONNREFUSED): is DATABASE_URL right, and the server up?",
  ],
])("%o is refused in one line", async (wrong, line) => {
  expect(await runToEnd(["dev/start.ts"], { ...variables(), ...wrong })).toEqual({ code: 1, output: `${line}\n` });
});

test("a folder that is no database is one line", async () => {
  const file = newFolder();
  writeFileSync(file, "not a folder");
  const { code, output } = await runToEnd(["dev/start.ts"], { ...variables(), PGLITE_DIR: file });
  expect(output.trim().split("\n")).toHaveLength(1);
  expect(output).toMatch(/is a file, no database: set PGLITE_DIR to another folder\.$/m);
  expect(code).toBe(1);
});
