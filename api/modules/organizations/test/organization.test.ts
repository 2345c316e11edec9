import { eq, organization, session } from "@repo/db";
import { describe, expect, test } from "vitest";
import { signIn, unique } from "../../../test/actors.ts";
import { auditOf } from "../../../test/audit.ts";
import { apiFor, measure } from "../../../test/call.ts";
import { testRuntime } from "../../../test/context.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { cleanUpOrganizations } from "../cron.ts";
import { bare, insider, membershipOf } from "./places.ts";

const rowOf = (id: string) => withOwner((db) => db.select().from(organization).where(eq(organization.id, id)));

describe("create", () => {
  test("makes the caller its owner and proposes a slug that gives way where it is taken", async () => {
    const ada = await signIn();
    const word = unique();
    const metadata = { tier: { seats: 3 } };
    const first = await ada.api.organization.create({ name: `Ünïted ${word}`, metadata });
    const second = await ada.api.organization.create({ name: `United, ${word}` });
    expect(first).toMatchObject({ slug: `united-${word}`, role: "owner", metadata, logo: null, memberLimit: 100 });
    expect(second.slug).toMatch(new RegExp(`^united-${word}-[a-z2-9]{6}$`));
    expect(await membershipOf(ada.user.id, first.id)).toMatchObject({ id: first.memberId, role: "owner" });
    const listed = await ada.api.organization.list({});
    expect(listed.items.map(({ id, role }) => [id, role])).toEqual([
      [first.id, "owner"],
      [second.id, "owner"],
    ]);
    expect((await (await signIn()).api.organization.list({})).items).toEqual([]);
  });

  test("a taken slug is refused with free ones that then work; a taken id too", async () => {
    const ada = await signIn();
    const slug = `taken-${unique()}`;
    const { id } = await ada.api.organization.create({ name: "First", slug });
    await ada.api.organization.create({ name: "Second", slug: `${slug}-3` });
    const refused = await expectRefusal(ada.api.organization.create({ name: "Third", slug }), "CONFLICT", "slug_taken");
    expect(refused.field).toBe("slug");
    expect(refused.message).toContain(`free are ${slug}-2, ${slug}-4, ${slug}-5`);
    await ada.api.organization.create({ name: "Third", slug: `${slug}-2` });
    await expectRefusal(ada.api.organization.create({ id, name: "Fourth" }), "CONFLICT", "id_taken");
    expect((await ada.api.organization.list({})).items).toHaveLength(3);
  });

  test.each([
    ["name", { name: " " }],
    ["name", { name: "a\u0000b" }],
    ["slug", { name: "x", slug: "Not A Slug" }],
    ["logo", { name: "x", logo: "javascript:alert(1)" }],
    ["metadata", { name: "x", metadata: { a: "x".repeat(8192) } }],
    ["metadata", { name: "x", metadata: JSON.parse(`{"a":${"[".repeat(4000)}${"]".repeat(4000)}}`) }],
  ])("refuses a bad %s", async (field, input) => {
    const ada = await signIn();
    expect(await expectRefusal(ada.api.organization.create(input), "BAD_REQUEST")).toMatchObject({ field });
  });
});

describe("update", () => {
  test.each(["constructor", "prototype"])(
    "metadata named %s is no fault of ours under an idempotency key",
    async (name) => {
      const ada = await insider("owner");
      const api = apiFor({ ...ada.headers, "idempotency-key": unique() });
      const metadata = { [name]: { x: 1 } };
      await expectRefusal(api.organization.update({ metadata }), "BAD_REQUEST", "unstorable");
      expect((await ada.api.organization.get()).metadata).toEqual({});
      expect((await ada.api.organization.update({ metadata })).metadata).toEqual(metadata);
    },
  );

  test("sets what is given, and writes down what changed and what it was", async () => {
    const ada = await insider("admin");
    const { id, name } = ada.organization;
    const after = await ada.api.organization.update({ name: "Renamed", metadata: { api_key: "hush", plan: "x" } });
    expect(after).toMatchObject({ name: "Renamed", slug: ada.organization.slug, metadata: { plan: "x" } });
    expect(await ada.api.organization.get()).toMatchObject({ id, name: "Renamed", role: "admin" });
    const [entry] = await auditOf(id);
    expect(entry).toMatchObject({
      organizationId: id,
      actorId: ada.user.id,
      action: "organization.update",
      before: { name, metadata: {} },
      after: { name: "Renamed", metadata: { api_key: "[redacted]", plan: "x" } },
      ip: "127.0.0.1",
    });
    expect(Object.keys(entry?.after ?? {}).sort()).toEqual(["metadata", "name"]);
  });

  test("to a slug that another organization has, deleted ones included, proposes free ones and changes nothing", async () => {
    const ada = await insider("owner");
    const other = await insider("owner");
    await other.api.organization.delete();
    const { slug } = other.organization;
    const refused = await expectRefusal(ada.api.organization.update({ slug, name: "x" }), "CONFLICT", "slug_taken");
    expect(refused.message).toContain(`${slug}-2`);
    expect(await ada.api.organization.get()).toMatchObject({ name: "Test", slug: ada.organization.slug });
    expect(await auditOf(ada.organization.id)).toEqual([]);
  });

  test("never touches the limit that the plan sets", async () => {
    const ada = await insider("owner");
    const hostile = { name: "x", memberLimit: 1_000_000, deletedAt: new Date(), id: "org_other" };
    await ada.api.organization.update(hostile);
    expect(await rowOf(ada.organization.id)).toMatchObject([{ memberLimit: 100, deletedAt: null }]);
    await expectRefusal(ada.api.organization.update({}), "BAD_REQUEST");
  });
});

describe("delete", () => {
  test("closes the door for every member at once; an owner alone restores it, with all that was in it", async () => {
    const ada = await insider("owner");
    const bob = await insider("admin", ada.organization);
    const { id } = ada.organization;
    const team = await ada.api.organization.teams.create({ name: "Crew" });
    await ada.api.organization.delete();
    await expectRefusal(ada.api.organization.get(), "FORBIDDEN", "not_a_member");
    await expectRefusal(bob.api.organization.members.list({}), "FORBIDDEN", "not_a_member");
    expect((await bare(ada).organization.list({})).items).toEqual([]);
    expect((await bare(ada).organization.list({ deleted: true })).items.map((item) => item.id)).toEqual([id]);
    expect((await bare(bob).organization.list({ deleted: true })).items).toEqual([]);
    await expectRefusal(bare(bob).organization.restore({ organizationId: id }), "NOT_FOUND");
    await expectRefusal(bare(bob).organization.setActive({ organizationId: id }), "NOT_FOUND");
    expect(await bare(ada).organization.restore({ organizationId: id })).toMatchObject({ id, deletedAt: null });
    await expectRefusal(bare(ada).organization.restore({ organizationId: id }), "NOT_FOUND");
    expect((await bob.api.organization.teams.list({})).items).toMatchObject([{ id: team.id }]);
    expect((await auditOf(id)).map(({ action }) => action)).toEqual(["organization.delete", "organization.restore"]);
  });

  test("keeps the slug for 30 days, then all of it goes, but the log stays", async () => {
    const [recent, old] = [await insider("owner"), await insider("owner")];
    for (const { api } of [recent, old]) {
      await api.organization.teams.create({ name: "Crew" });
      await api.organization.delete();
    }
    await ownerSql("update organization set deleted_at = now() - interval '31 days' where id = $1", [
      old.organization.id,
    ]);
    await cleanUpOrganizations(testRuntime());
    expect(await rowOf(old.organization.id)).toEqual([]);
    expect(await rowOf(recent.organization.id)).toHaveLength(1);
    const left = `select 'member' from member where organization_id = $1 union all select 'team' from team where organization_id = $1`;
    expect((await ownerSql(left, [old.organization.id])).rows).toEqual([]);
    expect((await ownerSql(left, [recent.organization.id])).rows).toHaveLength(2);
    expect(await auditOf(old.organization.id)).toMatchObject([{ action: "organization.delete" }]);
    const { slug } = old.organization;
    expect(await (await signIn()).api.organization.create({ name: "Heir", slug })).toMatchObject({ slug });
  });
});

describe("setActive", () => {
  test("decides what later requests of the session speak for", async () => {
    const ada = await insider("viewer");
    const organizationId = ada.organization.id;
    await expectRefusal(bare(ada).organization.get(), "FORBIDDEN", "no_organization");
    await bare(ada).organization.setActive({ organizationId });
    expect(await bare(ada).organization.get()).toMatchObject({ id: organizationId, role: "viewer" });
    await bare(ada).organization.setActive({ organizationId: null });
    await expectRefusal(bare(ada).organization.get(), "FORBIDDEN", "no_organization");
    const [row] = await withOwner((db) => db.select().from(session).where(eq(session.id, ada.sessionId)));
    expect(row?.activeOrganizationId).toBeNull();
  });

  test("refuses an organization that one is no member of, and keeps the old one", async () => {
    const ada = await insider("member");
    const eve = await insider("owner");
    await bare(ada).organization.setActive({ organizationId: ada.organization.id });
    await expectRefusal(bare(ada).organization.setActive({ organizationId: eve.organization.id }), "NOT_FOUND");
    expect(await bare(ada).organization.get()).toMatchObject({ id: ada.organization.id });
  });
});

test("list pages through everything once", async () => {
  const ada = await signIn();
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push((await ada.api.organization.create({ name: `No ${i}` })).id);
  const first = await ada.api.organization.list({ limit: 2 });
  const second = await ada.api.organization.list({ limit: 2, cursor: first.nextCursor ?? "" });
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
  expect(second.nextCursor).toBeNull();
});

test("resolving a caller with membership takes one trip", async () => {
  const ada = await insider("member");
  expect(await measure(ada.headers, "user.me", undefined)).toMatchObject({
    trips: 1,
    result: { membership: { organizationId: ada.organization.id, role: "member" } },
  });
});
