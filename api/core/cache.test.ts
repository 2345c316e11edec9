import { resume } from "@repo/db";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { signIn, unique } from "../test/actors.ts";
import { apiFor } from "../test/call.ts";
import { withContext } from "../test/context.ts";
import { clientFor } from "../test/http.ts";
import { deliberate, openCache, queriesOf, uncacheable } from "../test/hyperdrive.ts";

async function publish(text: string) {
  const ada = await signIn();
  const { id } = await ada.api.resumes.create({ name: `Cached ${unique()}`, data: { basics: { name: text } } });
  const { slug } = await ada.api.resumes.publish({ id });
  return { ada, id, slug };
}

test("an edit: new for its owner at once, old for a stranger until the cache's time is up", async () => {
  const cache = openCache();
  const { ada, id, slug } = await publish("old");
  const owner = clientFor(ada.headers, cache.overrides).client;
  const stranger = clientFor({}, cache.overrides).client;
  const nameFor = async (client: typeof owner) => {
    const { data } = await client.resumes.bySlug.query({ slug });
    return (data as { basics: { name: string } }).basics.name;
  };
  expect([await nameFor(owner), await nameFor(stranger)]).toEqual(["old", "old"]);
  await owner.resumes.update.mutate({ id, version: 1, data: { basics: { name: "new" } } });
  expect([await nameFor(owner), await nameFor(stranger)]).toEqual(["new", "old"]);
  await cache.pass(59);
  expect([await nameFor(owner), await nameFor(stranger)]).toEqual(["new", "old"]);
  await cache.pass(2);
  // Stale, and refreshed behind this answer.
  expect(await nameFor(stranger)).toBe("old");
  await expect.poll(() => nameFor(stranger)).toBe("new");
});

test("75 s after a write nobody is given what was there before", async () => {
  const cache = openCache();
  const { ada, id, slug } = await publish("old");
  const stranger = apiFor({}, cache.overrides);
  await stranger.resumes.bySlug({ slug });
  await ada.api.resumes.update({ id, version: 1, data: { basics: { name: "new" } } });
  await cache.pass(75);
  expect((await stranger.resumes.bySlug({ slug })).data).toEqual({ basics: { name: "new" } });
});

test("a request's queries, their trips and their cache statuses can be read", async () => {
  const { slug } = await publish("seen");
  const { client, seen } = clientFor({}, openCache().overrides);
  for (const status of ["miss", "hit"]) {
    await client.resumes.bySlug.query({ slug });
    const { doors, queries } = await queriesOf(seen.at(-1)?.headers.get("x-request-id") ?? "");
    expect(queries).toMatchObject([{ door: "cached", status, sql: expect.stringContaining('from "resume"') }]);
    expect(doors.cached).toMatchObject({ opened: 1, flights: 1, originFlights: status === "miss" ? 1 : 0 });
    expect(doors.direct).toMatchObject({ opened: 0, flights: 0 });
  }
});

test("a query through ctx.db that no cache may hold is named, with the reason", async () => {
  const requestId = `${deliberate}${unique()}`;
  await withContext({}, ({ db }) => db.select({ at: sql`now()` }).from(resume).limit(1), { requestId });
  const { queries } = await queriesOf(requestId);
  expect(uncacheable(queries)).toEqual([
    expect.stringMatching(/^volatile, Postgres marks now\(\) as stable: select now\(\) from "resume"/),
  ]);
});
