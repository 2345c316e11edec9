import { describe, expect, inject, test } from "vitest";
import { apiErrorOf } from "../client.ts";
import { type Actor, signIn, unique } from "../test/actors.ts";
import { clientFor, get, type Overrides, origin, send } from "../test/http.ts";
import { ownerSql, withDb, withOwner } from "../test/owner.ts";
import { openWire } from "../test/wire.ts";
import { connectionOf } from "./database/doors.ts";

async function wiredActor() {
  const actor = await signIn();
  const wire = await openWire("direct");
  const overrides = { HYPERDRIVE_DIRECT: wire.binding };
  return { actor, wire, overrides, ...clientFor(actor.headers, overrides) };
}

/** A mutation as plain HTTP, to see status and headers. */
function mutate(
  { actor, overrides }: { actor: Actor; overrides: Overrides },
  path: string,
  input: unknown,
): Promise<Response> {
  const headers = { ...actor.headers, "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(input) };
  return send(new Request(`${origin}/api/trpc/${path}`, init), overrides);
}

async function expectUnavailable(response: Response): Promise<void> {
  expect(response.status).toBe(503);
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await response.json()).toMatchObject({ error: { data: { code: "UNAVAILABLE" } } });
}

describe("a connection that is cut", () => {
  test.each(["before", "after"] as const)(
    "%s a statement has reached the server: 503, then business as usual",
    async (phase) => {
      const { actor, wire, overrides, client } = await wiredActor();
      await wire.arm('from "resume"', phase);
      await expectUnavailable(await get("/api/trpc/resumes.list?input=%7B%7D", overrides, actor.headers));
      expect(await client.resumes.list.query({})).toMatchObject({ items: [] });
    },
  );

  test("while the caller is looked up: 503, never a visitor's answer", async () => {
    const { actor, wire, overrides } = await wiredActor();
    await wire.arm("resolve_caller", "after");
    await expectUnavailable(await get("/api/trpc/user.me", overrides, actor.headers));
  });

  test("between two statements of a transaction: 503, and nothing of it stays", async () => {
    const { actor, wire, overrides, client } = await wiredActor();
    const { id } = await client.resumes.create.mutate({ name: `Cut ${unique()}` });
    const copy = `Copy ${unique()}`;
    await wire.arm("insert into", "before");
    await expectUnavailable(await mutate({ actor, overrides }, "resumes.duplicate", { id, name: copy }));
    const { rows } = await ownerSql("select 1 from resume where name = $1", [copy]);
    expect(rows).toEqual([]);
    expect(await client.resumes.duplicate.mutate({ id, name: copy })).toMatchObject({ name: copy });
  });

  test.each(["before", "after"] as const)(
    "at COMMIT, %s it has reached the server: 503, and the row tells which",
    async (phase) => {
      const { actor, wire, overrides, client } = await wiredActor();
      const name = `At the end ${unique()}`;
      await wire.arm("commit", phase);
      await expectUnavailable(await mutate({ actor, overrides }, "resumes.create", { name }));
      const { rows } = await ownerSql("select 1 from resume where name = $1", [name]);
      expect(rows).toHaveLength(phase === "after" ? 1 : 0);
      expect((await client.resumes.list.query({})).items).toHaveLength(rows.length);
    },
  );

  test("at a read's COMMIT: the answer stands", async () => {
    const { wire, client } = await wiredActor();
    await wire.arm("commit", "before");
    expect(await client.resumes.list.query({})).toMatchObject({ items: [] });
    expect(await client.resumes.list.query({})).toMatchObject({ items: [] });
  });
});

test.runIf(inject("superuser"))("a backend ended by the server: one clean 503, then business as usual", async () => {
  const { actor, overrides, client } = await wiredActor();
  const blocker = `Blocked ${unique()}`;
  const { id } = await client.resumes.create.mutate({ name: blocker });
  const kill = "select pg_terminate_backend(pid) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
  await withOwner(async (owner) => {
    const { rows } = await connectionOf(owner).query("select pg_backend_pid() as pid");
    await connectionOf(owner).query("begin");
    await connectionOf(owner).query("select 1 from resume where id = $1 for update", [id]);
    const waiting = mutate({ actor, overrides }, "resumes.rename", { id, name: `Renamed ${unique()}` });
    const killed = () => withDb(inject("superuser"), (db) => connectionOf(db).query(kill, [rows[0].pid]));
    await expect.poll(async () => (await killed()).rowCount).toBe(1);
    await expectUnavailable(await waiting);
    await connectionOf(owner).query("rollback");
  });
  expect(await client.resumes.get.query({ id })).toMatchObject({ name: blocker });
});

test("with the database away: health 200, ready 503, procedures 503; back with it", async () => {
  const { actor, wire, overrides, client } = await wiredActor();
  const cached = await openWire("cached");
  const both = { ...overrides, HYPERDRIVE_CACHED: cached.binding };
  expect((await get("/ready", both)).status).toBe(200);
  await Promise.all([wire.down(), cached.down()]);
  expect((await get("/health", both)).status).toBe(200);
  const ready = await get("/ready", both);
  expect(ready.status).toBe(503);
  expect(ready.headers.get("retry-after")).toBe("2");
  await expectUnavailable(await get("/api/trpc/resumes.list?input=%7B%7D", both, actor.headers));
  await expectUnavailable(await get("/api/trpc/resumes.bySlug?input=%7B%22slug%22%3A%22any%22%7D", both));
  const failure = await client.user.me.query().catch(apiErrorOf);
  expect(failure).toMatchObject({ code: "UNAVAILABLE" });
  await cached.up();
  expect((await get("/ready", both)).status).toBe(503);
  await wire.up();
  expect((await get("/ready", both)).status).toBe(200);
  expect(await client.resumes.list.query({})).toMatchObject({ items: [] });
});
