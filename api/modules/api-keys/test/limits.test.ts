import { eq, type UsagePeriod, usageCounter } from "@repo/db";
import { describe, expect, test } from "vitest";
import { signIn } from "../../../test/actors.ts";
import { measure } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { clientFor, get } from "../../../test/http.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { insider, keyOf } from "./keys.ts";

let staff: Awaited<ReturnType<typeof signIn>> | undefined;
async function limit(organizationId: string, max: number | null, which: { period?: UsagePeriod; hard?: boolean } = {}) {
  staff ??= await signIn({ role: "admin" });
  return staff.api.usage.limits.set({ organizationId, max, period: "day", ...which });
}
const used = async (owner: string) =>
  (
    await withOwner((db) =>
      db.select().from(usageCounter).where(eq(usageCounter.owner, owner)).orderBy(usageCounter.period),
    )
  ).map((row) => [row.period, row.used]);

const path = "/api/trpc/organization.get";

test("500 concurrent calls on a limit of 100: exactly 100 pass", async () => {
  const ada = await insider();
  const key = await keyOf(ada);
  await limit(ada.organization.id, 100);
  const answers = await Promise.all(Array.from({ length: 500 }, () => get(path, {}, key.headers)));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(100);
  expect(statuses.filter((status) => status === 429)).toHaveLength(400);
  expect(await used(ada.organization.id)).toEqual([["day", 100]]);
});

test("the same with four limits at once, one of them the tightest; what is refused is counted by none", async () => {
  const ada = await insider();
  const key = await keyOf(ada);
  for (const [period, max] of [
    ["month", 60],
    ["day", 25],
    ["hour", 1000],
  ] as const)
    await limit(ada.organization.id, max, { period });
  await limit(ada.organization.id, 10, { period: "hour", hard: false });
  const answers = await Promise.all(Array.from({ length: 100 }, () => get(path, {}, key.headers)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(25);
  expect(await used(ada.organization.id)).toEqual([
    ["day", 25],
    ["hour", 25],
    ["month", 25],
  ]);
});

describe("an answer", () => {
  test("tells what is left, and over the limit when to come back", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    await limit(ada.organization.id, 2, { period: "minute" });
    // Both calls are to fall into one minute.
    const left = 60 - new Date().getUTCSeconds();
    if (left < 8) await scheduler.wait(left * 1000);
    const tell = async () => {
      const { status, headers } = await get(path, {}, key.headers);
      const told = ["ratelimit-limit", "ratelimit-remaining", "retry-after"].map((name) => headers.get(name));
      expect(Number(headers.get("ratelimit-reset"))).toBeGreaterThan(0);
      expect(Number(headers.get("ratelimit-reset"))).toBeLessThanOrEqual(60);
      return [status, ...told];
    };
    expect(await tell()).toEqual([200, "2", "1", null]);
    expect(await tell()).toEqual([200, "2", "0", null]);
    expect(await tell()).toEqual([429, "2", "0", expect.stringMatching(/^([1-9]|[1-5]\d|60)$/)]);
    await ownerSql(
      "update usage_counter set period_start = period_start - interval '1 minute', ends_at = ends_at - interval '1 minute' where owner = $1",
      [ada.organization.id],
    );
    expect(await tell()).toEqual([200, "2", "1", null]);
  });

  test("of a key without limits tells none, and counts nothing", async () => {
    const ada = await insider();
    const { status, headers } = await get(path, {}, (await keyOf(ada)).headers);
    expect([status, headers.get("ratelimit-limit")]).toEqual([200, null]);
    expect(await used(ada.organization.id)).toEqual([]);
  });

  test("over a soft limit carries a warning and goes through", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    await limit(ada.organization.id, 1, { hard: false });
    const warning = async () => (await get(path, {}, key.headers)).headers.get("x-usage-warning");
    expect(await warning()).toBeNull();
    expect(await warning()).toBe("over a soft limit");
    expect(await used(ada.organization.id)).toEqual([["day", 2]]);
  });

  test("over a limit of the month comes back next month, though the minute ends sooner", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    await limit(ada.organization.id, 0, { period: "minute" });
    await limit(ada.organization.id, 0, { period: "month" });
    const { headers } = await get(path, {}, key.headers);
    const now = new Date();
    const wait = (Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1) - now.getTime()) / 1000;
    expect(Math.abs(Number(headers.get("retry-after")) - wait)).toBeLessThan(30);
  });
});

test("a batch counts as many calls as it holds, all or none", async () => {
  const ada = await insider();
  const key = await keyOf(ada);
  await limit(ada.organization.id, 5);
  const { client } = clientFor(key.headers);
  const batch = (size: number) => Promise.all(Array.from({ length: size }, () => client.organization.get.query()));
  await batch(3);
  expect(await used(ada.organization.id)).toEqual([["day", 3]]);
  await expect(batch(3)).rejects.toThrow("Over the limit");
  expect(await used(ada.organization.id)).toEqual([["day", 3]]);
  await batch(2);
  expect(await used(ada.organization.id)).toEqual([["day", 5]]);
});

test.each([
  [",", "batch=1"],
  ["%2C", "batch=1"],
  ["%2c", "%62atch=1"],
  [",", "b=0&batch=1&batch=0"],
])("a batch cut by %s and asked for by %s counts no less", async (comma, query) => {
  const ada = await insider();
  const key = await keyOf(ada);
  await limit(ada.organization.id, 100);
  const paths = Array.from({ length: 20 }, () => "organization.get").join(comma);
  const answer = await get(`/api/trpc/${paths}?${query}&input=%7B%7D`, {}, key.headers);
  expect(await answer.json()).toHaveLength(20);
  expect(await used(ada.organization.id)).toEqual([["day", 20]]);
});

test("all keys of an organization share its limits; a person's keys and other tenants have their own", async () => {
  const ada = await insider();
  const eve = await insider();
  const [one, other, own, foreign] = [
    await keyOf(ada),
    await keyOf(ada),
    await keyOf(ada, { owner: "user" }),
    await keyOf(eve),
  ];
  await limit(ada.organization.id, 1);
  await one.api.organization.get();
  await expectRefusal(other.api.organization.get(), "RATE_LIMITED", "usage_limit");
  await own.api.user.me();
  await foreign.api.organization.get();
  staff ??= await signIn({ role: "admin" });
  await staff.api.usage.limits.set({ userId: ada.user.id, max: 1, period: "day" });
  await own.api.user.me();
  await expectRefusal(own.api.user.me(), "RATE_LIMITED", "usage_limit");
});

test("a limit that is lowered, lifted or taken away counts at once", async () => {
  const ada = await insider();
  const key = await keyOf(ada);
  await limit(ada.organization.id, 3);
  await key.api.organization.get();
  await limit(ada.organization.id, 1);
  await expectRefusal(key.api.organization.get(), "RATE_LIMITED");
  await limit(ada.organization.id, 2);
  await key.api.organization.get();
  await expectRefusal(key.api.organization.get(), "RATE_LIMITED");
  expect(await ada.api.usage.limits.list({ owner: "organization" })).toMatchObject([
    { metric: "api_call", period: "day", hard: true, max: 2, used: 2 },
  ]);
  await limit(ada.organization.id, null);
  await key.api.organization.get();
  expect(await ada.api.usage.limits.list({ owner: "organization" })).toEqual([]);
});

test("finding the key and counting are one trip: a read takes 2, a write 3", async () => {
  const ada = await insider();
  const key = await keyOf(ada);
  await limit(ada.organization.id, 100);
  await limit(ada.organization.id, 100, { period: "minute" });
  expect((await measure(key.headers, "organization.get", undefined)).trips).toBe(2);
  expect((await measure(key.headers, "organization.update", { name: "By key" })).trips).toBe(3);
  expect((await used(ada.organization.id))[0]).toEqual(["day", 2]);
});
