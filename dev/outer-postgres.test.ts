import { sql } from "@repo/db";
import { connect } from "@repo/db/client";
import { migrateDatabase } from "@repo/db/scripts/migrate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureLogins, startOnPostgres } from "./outer-postgres.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";
import { freePort, newFolder, run, runToEnd } from "./test/programs.ts";

let server: RunningPostgres;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

test("bun dev runs on the Postgres of DATABASE_URL", async () => {
  const port = await freePort();
  const variables = { PORT: String(port), PGLITE_DIR: newFolder(), DATABASE_URL: server.ownerUrl };
  const dev = run(["dev/start.ts"], variables);
  await dev.says(/^ready http:/m);
  const published = await fetch(`http://127.0.0.1:${port}/api/trpc/resumes.bySlug?input={"slug":"demo-person"}`);
  expect(await published.json()).toMatchObject({ result: { data: { name: "Engineer" } } });
  dev.child.kill("SIGTERM");
  expect(await dev.ended).toBe(0);
});

test("the doors log in as the worker's roles, with passwords that only the owner's leads to", async () => {
  await migrateDatabase(server.ownerUrl);
  await ensureLogins(server.ownerUrl);
  const doors = await startOnPostgres(server.ownerUrl);
  for (const [url, role] of [
    [doors.cached, "app_cached"],
    [doors.direct, "app_direct"],
  ] as const) {
    const { db, close } = connect(url);
    const [row] = await db.execute(sql`select session_user as who`);
    expect(row).toEqual({ who: role });
    await close();
  }
  await doors.close();
});

test("db:roles makes logins and the two commands; a local Hyperdrive leaves those alone", async () => {
  const refused = await runToEnd(["db/scripts/roles.ts"], { DATABASE_URL: server.ownerUrl });
  expect(refused.output).toMatch(/^Replace the passwords of app_cached and app_direct\? .* add --yes\.\n$/);
  const { code, output } = await runToEnd(["db/scripts/roles.ts", "--yes", "--origin-connection-limit", "20"], {
    DATABASE_URL: server.ownerUrl,
    ENVIRONMENT: "staging",
  });
  expect(code).toBe(0);
  const commands = output.split("\n").filter((line) => line.startsWith("npx wrangler hyperdrive create"));
  expect(commands.map((line) => line.replace(/--connection-string '[^']+' /, ""))).toEqual([
    "npx wrangler hyperdrive create fairlead-staging-cached --max-age 60 --swr 15 --origin-connection-limit 20",
    "npx wrangler hyperdrive create fairlead-staging-direct --caching-disabled --origin-connection-limit 20",
  ]);
  const [cached = "", direct = ""] = commands.map((line) => line.match(/'([^']+)'/)?.[1] ?? "");
  expect(new URL(cached).password).not.toBe(new URL(direct).password);
  const { db, close } = connect(cached);
  expect(await db.execute(sql`select session_user as who`)).toEqual([{ who: "app_cached" }]);
  await close();
  await expect(ensureLogins(server.ownerUrl)).rejects.toThrow(
    /^app_cached and app_direct at .* have passwords already: point DATABASE_URL at a database of your own\.$/,
  );
});
