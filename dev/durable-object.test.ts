import { connect } from "@repo/db/client";
import { seedIfEmpty } from "@repo/db/scripts/seed";
import { demoUsers } from "@repo/db/seeds/identity";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, freePort, newFolder, type Program, run } from "./test/programs.ts";
import { startTestDatabase, type TestDatabase } from "./test-database.ts";
import { wranglerVariables } from "./wrangler.ts";

let database: TestDatabase;
let worker: Program;
let url: string;

beforeAll(async () => {
  database = await startTestDatabase();
  await seedIfEmpty(database.owner);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const config = "api/test/durable-object/wrangler.toml";
  const folder = newFolder();
  worker = run(
    [
      "node_modules/wrangler/bin/wrangler.js",
      "dev",
      "--config",
      config,
      "--port",
      String(port),
      "--persist-to",
      folder,
    ],
    { ...wranglerVariables(database), WRANGLER_REGISTRY_PATH: `${folder}.registry`, CI: "true" },
  );
  await worker.says(/Ready on/);
}, 120_000);
afterAll(async () => {
  worker?.child.kill("SIGTERM");
  await worker?.ended;
  await database?.stop();
});

interface Seen {
  doors: Record<"cached" | "direct", { opened: number; open: number; flights: number }>;
  queries: { door: string; status: string }[];
}

let asked = 0;

/** One call of a Durable Object of this name, and what the local Hyperdrive saw of it. */
async function callObject(object: string) {
  const request = `object-${asked++}`;
  const question = new URLSearchParams({ object, request, slug: "demo-person", userId: demoUsers[0].id });
  const response = await fetch(`${url}/?${question}`);
  expect(response.status).toBe(200);
  const look = async () => (await (await fetch(`${database.hyperdrive}/queries?request=${request}`)).json()) as Seen;
  expect(await eventually(async () => Object.values((await look()).doors).every(({ open }) => open === 0))).toBe(true);
  return { answer: await response.json(), seen: await look() };
}

const statuses = ({ queries }: Seen, door: string) =>
  queries.filter((query) => query.door === door).map(({ status }) => status);

test("a Durable Object goes through the local Hyperdrive as a request does", async () => {
  const answer = {
    seen: [{ name: "Engineer" }],
    own: expect.arrayContaining([{ name: "Engineer" }, { name: "Teacher" }]),
    trips: { cached: 1, direct: 1 },
  };
  const first = await callObject("one");
  expect(first.answer).toEqual(answer);
  expect(statuses(first.seen, "cached")).toEqual(["miss"]);
  expect(first.seen.doors.cached).toMatchObject({ opened: 1, flights: 1 });
  expect(first.seen.doors.direct).toMatchObject({ opened: 1 });
  expect(new Set(statuses(first.seen, "direct"))).toEqual(new Set(["disabled"]));

  for (const object of ["one", "another"]) {
    const again = await callObject(object);
    expect(again.answer).toEqual(answer);
    expect(statuses(again.seen, "cached")).toEqual(["hit"]);
  }
});

test("what it reads from the cache may be old, and what it reads past it is not", async () => {
  const { db, close } = connect(database.owner);
  await db.execute("update resume set name = 'Renamed' where slug = 'demo-person'");
  await close();
  const { answer } = await callObject("one");
  expect(answer).toMatchObject({
    seen: [{ name: "Engineer" }],
    own: expect.arrayContaining([{ name: "Renamed" }]),
  });
});
