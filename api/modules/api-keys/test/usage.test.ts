import { apiKey, eq, type UsageRecord, usageEvent, usageRecord } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { describe, expect, test } from "vitest";
import type { JobMessage } from "../../../core/jobs.ts";
import { runBatch } from "../../../core/jobs.ts";
import { signIn } from "../../../test/actors.ts";
import { testRuntime } from "../../../test/context.ts";
import { clientFor, get } from "../../../test/http.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { openWire } from "../../../test/wire.ts";
import { cleanUpUsage } from "../cron.ts";
import { usageJob } from "../jobs.ts";
import { insider, keyOf } from "./keys.ts";

/** A queue that keeps what is sent to it. */
function queue() {
  const sent: JobMessage[] = [];
  return { sent, overrides: { JOBS: { send: async (message: JobMessage) => void sent.push(message) } } };
}

/** Delivers messages to the real consumer; answers what became of each. */
async function deliver(messages: JobMessage[]): Promise<string[]> {
  const outcomes: string[] = [];
  const batch = messages.map((body) => ({
    body,
    ack: () => void outcomes.push("ack"),
    retry: () => void outcomes.push("retry"),
  }));
  // runBatch looks at nothing of a batch but its messages, and of those at no more than these.
  await runBatch([usageJob], { messages: batch } as unknown as MessageBatch<JobMessage>, testRuntime());
  return outcomes;
}

const recordsOf = (keyId: string): Promise<UsageRecord[]> =>
  withOwner((db) => db.select().from(usageRecord).where(eq(usageRecord.keyId, keyId)).orderBy(usageRecord.id));
const lastUse = async (id: string) =>
  (await withOwner((db) => db.select({ at: apiKey.lastUsedAt }).from(apiKey).where(eq(apiKey.id, id))))[0]?.at;
const today = () => new Date(new Date().toISOString().slice(0, 10));

/** A message about one call, as the worker queues it. */
function message(key: { id: string }, owner: { userId?: string; organizationId?: string }, more: object = {}) {
  const payload = {
    id: newId("evt"),
    keyId: key.id,
    userId: owner.userId ?? null,
    organizationId: owner.organizationId ?? null,
    at: new Date().toISOString(),
    items: [{ metric: "api_call", quantity: 1, dimension: { procedure: "resumes.list" } }],
    ...more,
  };
  return { job: "api-keys.usage", payload };
}

describe("what a request used", () => {
  test("is queued in one message behind the answer, and written by no request", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    const { sent, overrides } = queue();
    const wire = await openWire("direct");
    const { client } = clientFor(key.headers, { ...overrides, HYPERDRIVE_DIRECT: wire.binding });
    await Promise.all([
      client.organization.get.query(),
      client.organization.get.query(),
      client.organization.teams.list.query({}),
    ]);
    const organizationId = ada.organization.id;
    expect(sent).toMatchObject([
      {
        job: "api-keys.usage",
        payload: {
          keyId: key.id,
          userId: null,
          organizationId,
          items: [
            { metric: "api_call", quantity: 2, dimension: { procedure: "organization.get" } },
            { metric: "api_call", quantity: 1, dimension: { procedure: "organization.teams.list" } },
          ],
        },
      },
    ]);
    const statements = (await wire.look()).flights.filter((letters) => /[QP]/.test(letters));
    // The key with its counting, then three reads, each with its prelude; their COMMITs behind.
    expect(statements.filter((letters) => letters.includes("P"))).toHaveLength(4);
    expect(await deliver(sent)).toEqual(["ack"]);
    expect(await recordsOf(key.id)).toMatchObject([
      { organizationId, quantity: 2, periodStart: today(), dimension: { procedure: "organization.get" } },
      { organizationId, quantity: 1, periodStart: today(), dimension: { procedure: "organization.teams.list" } },
    ]);
  });

  test("is queued once the answer has been streamed", async () => {
    const key = await keyOf(await insider());
    const { sent, overrides } = queue();
    const headers = { ...key.headers, "trpc-accept": "application/jsonl" };
    const answer = await get("/api/trpc/organization.get,organization.get?batch=1&input=%7B%7D", overrides, headers);
    expect(answer.headers.get("content-type")).toBe("application/jsonl");
    expect(await answer.text()).toContain('"role":"owner"');
    expect(sent).toMatchObject([{ payload: { keyId: key.id, items: [{ quantity: 2 }] } }]);
  });

  test("of a session, of a visitor and of a refused key is nothing", async () => {
    const ada = await insider();
    const { sent, overrides } = queue();
    await get("/api/trpc/organization.get", overrides, ada.headers);
    await get("/api/trpc/organization.get", overrides);
    await get("/api/trpc/organization.get", overrides, { authorization: `Bearer fl_test_${"0".repeat(49)}` });
    const key = await keyOf(ada);
    await ada.api.apiKeys.revoke({ owner: "organization", id: key.id });
    await get("/api/trpc/organization.get", overrides, key.headers);
    expect(sent).toEqual([]);
  });

  test("is lost with the queue, and not the answer", async () => {
    const key = await keyOf(await insider());
    const overrides = { JOBS: { send: () => Promise.reject(new Error("the queue is away")) } };
    const { expectLoggedErrors } = await import("../../../test/setup.ts");
    const logged = expectLoggedErrors();
    expect((await get("/api/trpc/organization.get", overrides, key.headers)).status).toBe(200);
    expect(logged.join()).toContain("usage not recorded");
    expect(logged.join()).not.toContain(key.secret.slice(8));
  });
});

describe("the consumer", () => {
  test("counts a batch once, however often and however cut it is delivered", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    const messages = Array.from({ length: 100 }, () => message(key, { organizationId: ada.organization.id }));
    await deliver(messages);
    await deliver(messages);
    await deliver([...messages.slice(50), ...messages.slice(0, 10), ...messages.slice(0, 10)]);
    expect(await recordsOf(key.id)).toMatchObject([{ quantity: 100 }]);
  });

  test("counts the same message once when two consumers have it at the same time", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    const messages = Array.from({ length: 20 }, () => message(key, { organizationId: ada.organization.id }));
    await Promise.all([deliver(messages), deliver([...messages].reverse()), deliver(messages)]);
    expect(await recordsOf(key.id)).toMatchObject([{ quantity: 20 }]);
  });

  test("does not lose others' usage over an owner that is gone", async () => {
    const [ada, bob] = [await insider(), await signIn()];
    const [lost, kept] = [await keyOf(ada), await keyOf(bob, { owner: "user" })];
    const messages = [message(lost, { organizationId: ada.organization.id }), message(kept, { userId: bob.user.id })];
    await ownerSql("delete from organization where id = $1", [ada.organization.id]);
    expect(await deliver(messages)).toEqual(["ack", "ack"]);
    expect(await recordsOf(lost.id)).toEqual([]);
    expect(await recordsOf(kept.id)).toMatchObject([{ quantity: 1, userId: bob.user.id }]);
  });

  test("writes the last use at most once a minute, and never back", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    const owner = { organizationId: ada.organization.id };
    const start = Date.UTC(2026, 0, 1, 12);
    const use = async (seconds: number) => {
      await deliver([message(key, owner, { at: new Date(start + seconds * 1000).toISOString() })]);
      return ((await lastUse(key.id))?.getTime() ?? 0) - start;
    };
    expect(await use(0)).toBe(0);
    expect(await use(59)).toBe(0);
    expect(await use(61)).toBe(61_000);
    expect(await use(30)).toBe(61_000);
  });
});

test("the summary is by day, key and metric, page by page", async () => {
  const ada = await insider();
  const [one, other] = [await keyOf(ada), await keyOf(ada)];
  const owner = { organizationId: ada.organization.id };
  const on = (day: number) => ({ at: new Date(Date.UTC(2026, 0, day, 23)).toISOString() });
  const exports = { items: [{ metric: "export", quantity: 7, dimension: { procedure: "resumes.export" } }] };
  await deliver([
    message(one, owner, on(1)),
    message(one, owner, on(1)),
    message(one, owner, { ...on(1), items: [{ metric: "api_call", quantity: 3, dimension: { procedure: "other" } }] }),
    message(one, owner, { ...on(2), ...exports }),
    message(other, owner, on(2)),
    message(other, owner, on(20)),
  ]);
  const range = { owner: "organization", since: new Date("2026-01-01"), until: new Date("2026-01-10") } as const;
  const all = await ada.api.usage.summary(range);
  const day = (number: number) => new Date(Date.UTC(2026, 0, number));
  const expected = [
    { day: day(2), keyId: other.id, metric: "api_call", quantity: 1 },
    { day: day(2), keyId: one.id, metric: "export", quantity: 7 },
    { day: day(1), keyId: one.id, metric: "api_call", quantity: 5 },
  ];
  expect(all).toEqual({ items: expected, nextCursor: null });
  const paged: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await ada.api.usage.summary({ ...range, limit: 1, cursor });
    paged.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  expect(paged).toEqual(expected);
  expect((await ada.api.usage.summary({ ...range, keyId: other.id })).items).toEqual([expected[0]]);
  expect((await ada.api.usage.summary({ ...range, metric: "export" })).items).toEqual([expected[1]]);
  expect((await one.api.usage.summary({ ...range, owner: "user" })).items).toEqual(expected);
  expect((await ada.api.usage.summary({ ...range, owner: "user" })).items).toEqual([]);
});

test("frontends ask for the summary of a time", async () => {
  const ada = await insider();
  const key = await keyOf(ada);
  await deliver([message(key, { organizationId: ada.organization.id })]);
  const range = { since: today(), until: new Date(today().getTime() + 86_400_000) };
  const { summary } = clientFor(ada.headers).client.usage;
  expect((await summary.query({ owner: "organization", ...range })).items).toMatchObject([{ keyId: key.id }]);
});

test("every night what is past is forgotten, and nothing else", async () => {
  const ada = await insider();
  const keys = await Promise.all(["live", "expired", "revoked", "lately"].map(() => keyOf(ada)));
  const [live, expired, revoked, lately] = keys.map(({ id }) => id);
  const ago = (days: number) => `now() - interval '${days} days'`;
  const organizationId = ada.organization.id;
  await ownerSql(`update api_key set expires_at = ${ago(91)} where id = $1`, [expired]);
  await ownerSql(`update api_key set revoked_at = ${ago(91)} where id = $1`, [revoked]);
  await ownerSql(`update api_key set revoked_at = ${ago(89)} where id = $1`, [lately]);
  const record = `insert into usage_record (id, organization_id, key_id, metric, quantity, period_start) values`;
  await ownerSql(`${record} ($1 || 'a', $2, $1, 'old', 1, ${ago(401)}), ($1 || 'b', $2, $1, 'new', 1, ${ago(399)})`, [
    live,
    organizationId,
  ]);
  await ownerSql(`insert into usage_event (id, created_at) values ($1 || 'a', ${ago(16)}), ($1 || 'b', ${ago(14)})`, [
    live,
  ]);
  await ownerSql(
    `insert into usage_counter values ($1, 'api_call', 'minute', ${ago(3)}, ${ago(3)}, 1), ($1, 'api_call', 'day', now(), now(), 1)`,
    [organizationId],
  );
  await cleanUpUsage(testRuntime());
  const rows = await withOwner((db) =>
    db.select({ id: apiKey.id }).from(apiKey).where(eq(apiKey.organizationId, organizationId)),
  );
  expect(rows.map(({ id }) => id).sort()).toEqual([live, lately].sort());
  expect((await recordsOf(live ?? "")).map(({ metric }) => metric)).toEqual(["new"]);
  const events = await withOwner((db) => db.select().from(usageEvent));
  expect(events.map(({ id }) => id).filter((id) => id.startsWith(live ?? ""))).toEqual([`${live}b`]);
  const { rows: counters } = await ownerSql("select period from usage_counter where owner = $1", [organizationId]);
  expect(counters).toEqual([{ period: "day" }]);
});
