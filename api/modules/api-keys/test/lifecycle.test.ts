import { apiKey, eq } from "@repo/db";
import { describe, expect, test } from "vitest";
import { drizzleOver } from "../../../core/database/doors.ts";
import { signIn, unique } from "../../../test/actors.ts";
import { apiFor, procedures } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { clientFor, get, post } from "../../../test/http.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { creatorLeft } from "../queries.ts";
import { callerOf, everything, insider, keyOf, speaking } from "./keys.ts";

const rowOf = (id: string) => withOwner(async (db) => (await db.select().from(apiKey).where(eq(apiKey.id, id))).at(0));

describe("making a key", () => {
  test("shows its secret once; no table holds it, nor does any answer after", async () => {
    const ada = await insider();
    const { secret, ...key } = await ada.api.apiKeys.create({
      owner: "organization",
      name: "CI",
      scopes: everything(),
    });
    expect(secret).toMatch(/^fl_test_[0-9A-Za-z]{49}$/);
    expect(key).toMatchObject({ name: "CI", lastFour: secret.slice(-4), createdBy: ada.user.id, revokedAt: null });
    expect(key).not.toHaveProperty("keyHash");
    const listed = await ada.api.apiKeys.list({ owner: "organization" });
    expect(listed.items).toMatchObject([{ id: key.id, creatorLeft: false }]);
    expect(JSON.stringify(listed)).not.toContain(secret);
    const { rows: tables } = await ownerSql("select tablename from pg_tables where schemaname = 'public'");
    expect(tables.length).toBeGreaterThan(10);
    for (const { tablename } of tables) {
      const { rows } = await ownerSql(`select 1 from "${tablename}" t where to_jsonb(t)::text like $1`, [
        `%${secret.slice(8)}%`,
      ]);
      expect(rows, tablename).toEqual([]);
    }
  });

  test("under an idempotency key makes one, and a replay says that the secret is not shown again", async () => {
    const ada = await insider();
    const api = apiFor({ ...ada.headers, "idempotency-key": unique() });
    const input = { owner: "organization", name: "Once", scopes: ["user:read"] } as const;
    await api.apiKeys.create({ ...input, scopes: [...input.scopes] });
    await expectRefusal(api.apiKeys.create({ ...input, scopes: [...input.scopes] }), "CONFLICT", "already_done");
    expect((await ada.api.apiKeys.list({ owner: "organization" })).items).toHaveLength(1);
  });

  test("is refused for scopes that there are not, no scope at all, a time gone by", async () => {
    const { api } = await signIn();
    const make = (more: object) => api.apiKeys.create({ name: "x", scopes: ["user:read"], ...more });
    await expectRefusal(make({ scopes: ["nothing:read"] }), "BAD_REQUEST", "unknown_scope");
    for (const scopes of [[], ["user:admin"], ["*"], ["user"]])
      await expectRefusal(make({ scopes }), "BAD_REQUEST", "invalid_input");
    await expectRefusal(make({ expiresAt: new Date(Date.now() - 1000) }), "BAD_REQUEST", "invalid_input");
    await expectRefusal(make({ name: " " }), "BAD_REQUEST", "invalid_input");
    expect((await make({ scopes: ["user:write", "user:read", "user:read"] })).scopes).toEqual([
      "user:read",
      "user:write",
    ]);
  });

  test("takes the end of its life from frontends", async () => {
    const { client } = clientFor((await signIn()).headers);
    const expiresAt = new Date(Date.now() + 60_000);
    const { id } = await client.apiKeys.create.mutate({ name: "CI", scopes: ["user:read"], expiresAt });
    expect((await rowOf(id))?.expiresAt).toEqual(expiresAt);
    await client.apiKeys.update.mutate({ id, expiresAt: null });
    expect((await rowOf(id))?.expiresAt).toBeNull();
  });

  test("the scopes that there are come from the procedures themselves", async () => {
    const { api } = await signIn();
    const scopes = await api.apiKeys.scopes();
    expect(scopes).toEqual(
      expect.arrayContaining(["organizations:read", "organizations:write", "usage:read", "user:read"]),
    );
    expect(scopes).toEqual([...scopes].sort());
    const named = Object.values(procedures).flatMap(({ _def }) => _def.meta?.scope || []);
    expect(new Set(scopes)).toEqual(new Set(named));
  });
});

describe("a key ends with the next request", () => {
  test("once it is revoked; a second time there is nothing to revoke", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    await key.api.organization.get();
    expect((await ada.api.apiKeys.revoke({ owner: "organization", id: key.id })).revokedAt).toBeInstanceOf(Date);
    await expectRefusal(key.api.organization.get(), "UNAUTHENTICATED", "invalid_api_key");
    await expectRefusal(ada.api.apiKeys.revoke({ owner: "organization", id: key.id }), "CONFLICT", "key_not_active");
    await expectRefusal(
      ada.api.apiKeys.update({ owner: "organization", id: key.id, expiresAt: null }),
      "CONFLICT",
      "key_not_active",
    );
  });

  test("once it has expired", async () => {
    const ada = await insider();
    const key = await keyOf(ada, { expiresAt: new Date(Date.now() + 60_000) });
    await key.api.organization.get();
    await ownerSql("update api_key set expires_at = now() - interval '1 second' where id = $1", [key.id]);
    await expectRefusal(key.api.organization.get(), "UNAUTHENTICATED", "invalid_api_key");
    const { items } = await ada.api.apiKeys.list({ owner: "organization", active: true });
    expect(items).toEqual([]);
  });

  test.each(["user", "organization"] as const)("once its creator is banned: a key of the %s", async (owner) => {
    const ada = await insider();
    const key = await keyOf(ada, { owner });
    expect(await callerOf(key.headers)).toMatchObject({ via: "key" });
    await ownerSql(`update "user" set banned = true where id = $1`, [ada.user.id]);
    await expectRefusal(callerOf(key.headers), "UNAUTHENTICATED", "invalid_api_key");
    await ownerSql(`update "user" set ban_expires = now() - interval '1 second' where id = $1`, [ada.user.id]);
    expect(await callerOf(key.headers)).toMatchObject({ via: "key" });
  });

  test("once its organization is deleted, and lives again with it", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    await ada.api.organization.delete();
    await expectRefusal(callerOf(key.headers), "UNAUTHENTICATED", "invalid_api_key");
    await ownerSql("update organization set deleted_at = null where id = $1", [ada.organization.id]);
    expect(await callerOf(key.headers)).toMatchObject({ keyId: key.id });
  });

  test("once its person is gone: their own keys go along, an organization's stay", async () => {
    const ada = await insider();
    const bob = await insider("admin", ada.organization);
    const [own, shared] = [await keyOf(bob, { owner: "user" }), await keyOf(bob)];
    await ownerSql(`delete from "user" where id = $1`, [bob.user.id]);
    await expectRefusal(callerOf(own.headers), "UNAUTHENTICATED", "invalid_api_key");
    expect(await rowOf(own.id)).toBeUndefined();
    expect(await callerOf(shared.headers)).toMatchObject({ membership: { role: "member" } });
  });
});

describe("an organization's key", () => {
  test("has its creator's role as it is now", async () => {
    const ada = await insider();
    const bob = await insider("admin", ada.organization);
    const key = await keyOf(bob);
    for (const role of ["admin", "viewer", "owner"] as const) {
      await ownerSql("update member set role = $2 where id = $1", [bob.memberId, role]);
      expect(await callerOf(key.headers)).toMatchObject({
        via: "key",
        user: null,
        membership: { organizationId: ada.organization.id, role },
      });
    }
    await ownerSql("update member set role = 'member' where id = $1", [bob.memberId]);
    await expectRefusal(key.api.organization.update({ name: "x" }), "FORBIDDEN", "role_too_low");
  });

  test("works on as a member's when its creator leaves; the list says so, until somebody takes it over", async () => {
    const ada = await insider();
    const bob = await insider("admin", ada.organization);
    const key = await keyOf(bob);
    await key.api.organization.update({ name: "While an admin stands for it" });
    await expectRefusal(ada.api.apiKeys.takeOver({ id: key.id }), "CONFLICT", "creator_stays");
    await ada.api.organization.members.remove({ memberId: bob.memberId });
    expect(await callerOf(key.headers)).toMatchObject({ membership: { role: "member" } });
    expect(await key.api.organization.get()).toMatchObject({ role: "member" });
    await expectRefusal(key.api.organization.update({ name: "x" }), "FORBIDDEN", "role_too_low");
    const stateOf = async () => (await ada.api.apiKeys.list({ owner: "organization" })).items.at(0);
    expect(await stateOf()).toMatchObject({ id: key.id, creatorLeft: true, createdBy: bob.user.id });
    await ada.api.apiKeys.takeOver({ id: key.id });
    expect(await stateOf()).toMatchObject({ creatorLeft: false, createdBy: ada.user.id });
    expect(await key.api.organization.update({ name: "Ours" })).toMatchObject({ name: "Ours" });
    await expectRefusal(ada.api.apiKeys.takeOver({ id: key.id }), "CONFLICT", "creator_stays");
  });

  test("has its creator looked up by its own columns", () => {
    const { sql } = drizzleOver({ query: undefined }).select({ creatorLeft }).from(apiKey).toSQL();
    expect(sql).toContain('"member"."organization_id" = "api_key"."organization_id"');
    expect(sql).toContain('"member"."user_id" = "api_key"."created_by"');
  });

  test("two who take it over at once: one does", async () => {
    const ada = await insider();
    const [bob, cyd] = [await insider("admin", ada.organization), await insider("admin", ada.organization)];
    const key = await keyOf(bob);
    await ownerSql("delete from member where id = $1", [bob.memberId]);
    const outcomes = await Promise.allSettled([ada, cyd].map(({ api }) => api.apiKeys.takeOver({ id: key.id })));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  test("is lent nobody's rights: only whoever stands for it adds scopes", async () => {
    const ada = await insider();
    const bob = await insider("admin", ada.organization);
    const key = await keyOf(ada, { scopes: ["organizations:read", "usage:read"] });
    const change = (scopes: string[]) => ({ owner: "organization", id: key.id, scopes }) as const;
    await expectRefusal(
      bob.api.apiKeys.update(change(["organizations:read", "organizations:write"])),
      "FORBIDDEN",
      "not_creator",
    );
    expect((await rowOf(key.id))?.scopes).toEqual(["organizations:read", "usage:read"]);
    expect((await bob.api.apiKeys.update(change(["organizations:read"]))).scopes).toEqual(["organizations:read"]);
    await expectRefusal(key.api.usage.limits.list({}), "FORBIDDEN", "scope_missing");
    await ada.api.apiKeys.update(change(["organizations:read", "usage:read"]));
    expect(await key.api.usage.limits.list({})).toEqual([]);
    expect((await rowOf(key.id))?.createdBy).toBe(ada.user.id);
  });
});

describe("rotation", () => {
  test("gives a new secret; the old one works until the overlap is over", async () => {
    const ada = await insider();
    const bob = await insider("admin", ada.organization);
    const old = await keyOf(ada, { scopes: ["organizations:read", "organizations:write"] });
    const { secret, ...made } = await bob.api.apiKeys.rotate({
      owner: "organization",
      id: old.id,
      overlapSeconds: 3600,
    });
    const { api } = speaking(secret);
    expect(made).toMatchObject({ name: "Test key", scopes: old.scopes, createdBy: bob.user.id, expiresAt: null });
    expect(await api.organization.get()).toMatchObject({ role: "admin" });
    expect(await old.api.organization.get()).toMatchObject({ role: "owner" });
    const row = await rowOf(old.id);
    expect(row?.replacedBy).toBe(made.id);
    expect(Math.abs((row?.expiresAt?.getTime() ?? 0) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    await ownerSql("update api_key set expires_at = now() where id = $1", [old.id]);
    await expectRefusal(old.api.organization.get(), "UNAUTHENTICATED", "invalid_api_key");
    await api.organization.get();
  });

  test("without an overlap ends the old one at once, and never makes it live longer", async () => {
    const ada = await insider();
    const soon = new Date(Date.now() + 5000);
    const [one, other] = [await keyOf(ada), await keyOf(ada, { expiresAt: soon })];
    await ada.api.apiKeys.rotate({ owner: "organization", id: one.id, overlapSeconds: 0 });
    await expectRefusal(one.api.organization.get(), "UNAUTHENTICATED");
    const next = await ada.api.apiKeys.rotate({ owner: "organization", id: other.id });
    expect((await rowOf(other.id))?.expiresAt).toEqual(soon);
    expect(next.expiresAt).toEqual(soon);
  });

  test("happens once, at the same time or later; a key that has ended has no successor", async () => {
    const ada = await insider();
    const key = await keyOf(ada);
    const rotate = () => ada.api.apiKeys.rotate({ owner: "organization", id: key.id });
    const outcomes = await Promise.allSettled([rotate(), rotate(), rotate()]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expectRefusal(rotate(), "CONFLICT", "key_replaced");
    const { items } = await ada.api.apiKeys.list({ owner: "organization" });
    expect(items).toHaveLength(2);
    const [next] = items;
    await ada.api.apiKeys.revoke({ owner: "organization", id: next?.id ?? "" });
    await expectRefusal(
      ada.api.apiKeys.rotate({ owner: "organization", id: next?.id ?? "" }),
      "CONFLICT",
      "key_not_active",
    );
  });
});

describe("what is not for keys", () => {
  const closed = Object.entries(procedures).filter(([, { _def }]) => _def.meta?.scope === false);
  test.each(closed.map(([path]) => path))("%s", async (path) => {
    const ada = await insider();
    for (const owner of ["user", "organization"] as const) {
      const { headers } = await keyOf(ada, { owner });
      const { type } = procedures[path]?._def ?? {};
      const answer = type === "query" ? get(`/api/trpc/${path}`, {}, headers) : post(`/api/trpc/${path}`, {}, headers);
      const { status } = await answer;
      // No key gets as far as its input.
      expect([path, status]).toEqual([path, 403]);
    }
  });

  test("keys, membership and sessions are among it", () => {
    const paths = closed.map(([path]) => path);
    for (const wanted of [
      "apiKeys.create",
      "apiKeys.rotate",
      "organization.create",
      "organization.invitations.accept",
      "organization.invitations.create",
      "organization.members.updateRole",
      "organization.transferOwnership",
      "usage.limits.set",
      "user.delete",
      "user.sessions.list",
    ])
      expect(paths).toContain(wanted);
  });

  test("signing in, and whatever asks for no scope", async () => {
    const { headers } = await keyOf(await signIn(), { owner: "user" });
    expect(await (await get("/api/auth/get-session", {}, headers)).json()).toBeNull();
    expect((await get("/api/auth/list-sessions", {}, headers)).status).toBe(401);
    expect((await post("/api/fresh", {}, headers)).status).toBe(403);
  });

  test("another organization, named in x-organization", async () => {
    const [ada, eve] = [await insider(), await insider()];
    const [shared, own] = [await keyOf(eve), await keyOf(eve, { owner: "user" })];
    const named = (headers: Record<string, string>, organization: string) =>
      callerOf({ ...headers, "x-organization": organization });
    await expectRefusal(named(shared.headers, ada.organization.id), "FORBIDDEN", "not_a_member");
    await expectRefusal(named(own.headers, eve.organization.id), "FORBIDDEN", "not_a_member");
    expect(await named(shared.headers, eve.organization.id)).toMatchObject({ keyId: shared.id });
  });
});

test("a staff member who acts as somebody makes no key", async () => {
  const ada = await insider();
  const { user } = await signIn({ role: "admin" });
  await ownerSql("update session set impersonated_by = $2 where id = $1", [ada.sessionId, user.id]);
  await expectRefusal(keyOf(ada, { owner: "user" }), "FORBIDDEN", "impersonated");
});

test("a person's key with a scope to read reads what is theirs, and changes nothing", async () => {
  const [ada, eve] = [await insider(), await insider()];
  const key = await keyOf(ada, { owner: "user", scopes: ["user:read", "organizations:read"] });
  expect(await key.api.user.me()).toMatchObject({ id: ada.user.id, membership: null });
  const { items } = await key.api.organization.list({});
  expect(items.map(({ id }) => id)).toEqual([ada.organization.id]);
  expect(items.map(({ id }) => id)).not.toContain(eve.organization.id);
  await expectRefusal(key.api.user.update({ name: "By key" }), "FORBIDDEN", "scope_missing");
});
