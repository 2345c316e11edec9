import { eq, resume } from "@repo/db";
import { describe, expect, test } from "vitest";
import { type Actor, makeUser, signIn, unique } from "../../test/actors.ts";
import { apiFor } from "../../test/call.ts";
import { expectRefusal } from "../../test/errors.ts";
import { openCache } from "../../test/hyperdrive.ts";
import { ownerSql, withOwner } from "../../test/owner.ts";

const visitor = apiFor({});
const data = {
  basics: {
    name: "Ada",
    email: "ada@example.com",
    phone: "+44 1",
    location: { address: "1 Street", city: "London" },
    secret: "x",
  },
  work: [{ name: "Engine", position: "Programmer", salary: 100 }],
  private: { note: "mine" },
};

function published(actor: Actor, name = `Résumé ${unique()}`) {
  return actor.api.resumes.create({ name, data }).then(async ({ id }) => actor.api.resumes.publish({ id }));
}

describe("writing", () => {
  test("create proposes a slug from the name and gives way where it is taken", async () => {
    const ada = await signIn();
    const word = unique();
    const first = await ada.api.resumes.create({ name: `Ünïque ${word}` });
    const second = await ada.api.resumes.create({ name: `unique, ${word}!` });
    expect(first.slug).toBe(`unique-${word}`);
    expect(second.slug).toMatch(new RegExp(`^unique-${word}-[a-z2-9]{6}$`));
    expect(first).toMatchObject({ version: 1, isPublic: false, views: 0, downloads: 0, template: "classic" });
  });

  test("a bad slug, a duplicate name, a taken slug and too much data each name their field", async () => {
    const ada = await signIn();
    const bob = await signIn();
    const name = `Twice ${unique()}`;
    const { slug } = await ada.api.resumes.create({ name });
    expect(await expectRefusal(ada.api.resumes.create({ name }), "CONFLICT", "name_taken")).toMatchObject({
      field: "name",
    });
    expect(await expectRefusal(bob.api.resumes.create({ name, slug }), "CONFLICT", "slug_taken")).toMatchObject({
      field: "slug",
    });
    const bad = await expectRefusal(ada.api.resumes.create({ name: "x", slug: "Not A Slug" }), "BAD_REQUEST");
    expect(bad).toMatchObject({ field: "slug", message: "slug: small letters, digits and hyphens only" });
    const large: object = { basics: { summary: "x".repeat(20_000) }, extra: "x".repeat(257 * 1024 - 20_000) };
    const refused = await expectRefusal(ada.api.resumes.create({ name: "large", data: large }), "BAD_REQUEST");
    expect(refused).toMatchObject({ field: "data", message: "data: larger than 256 KiB" });
  });

  test("a hostile body is refused, not a failure of ours", async () => {
    const ada = await signIn();
    const nul = { name: "nul", data: { extra: "a\u0000b" } };
    await expectRefusal(ada.api.resumes.create(nul as object as { name: string }), "BAD_REQUEST", "unstorable");
    await expectRefusal(
      ada.api.resumes.create({ name: "link", data: { basics: { url: "javascript:alert(1)" } } }),
      "BAD_REQUEST",
    );
  });

  test("update takes the version it edits; a stale one is CONFLICT and changes nothing", async () => {
    const ada = await signIn();
    const { id } = await ada.api.resumes.create({ name: `Edit ${unique()}`, data });
    const edited = await ada.api.resumes.update({ id, version: 1, data: { basics: { name: "Ada L." } } });
    expect(edited).toMatchObject({ version: 2, data: { basics: { name: "Ada L." } } });
    await expectRefusal(ada.api.resumes.update({ id, version: 1, data: {} }), "CONFLICT", "stale_version");
    expect(await ada.api.resumes.get({ id })).toMatchObject({ version: 2, data: { basics: { name: "Ada L." } } });
  });

  test("of two updates of one version at the same time, one wins", async () => {
    const ada = await signIn();
    const { id } = await ada.api.resumes.create({ name: `Race ${unique()}` });
    const edits = ["a", "b"].map((summary) =>
      ada.api.resumes.update({ id, version: 1, data: { basics: { summary } } }),
    );
    const outcomes = await Promise.allSettled(edits);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await ada.api.resumes.get({ id })).toMatchObject({ version: 2 });
  });

  test("rename, duplicate, import and export keep the document", async () => {
    const ada = await signIn();
    const { id } = await ada.api.resumes.import({ json: data });
    const renamed = await ada.api.resumes.rename({ id, name: "Renamed", slug: `renamed-${unique()}` });
    expect(renamed.name).toBe("Renamed");
    const copy = await ada.api.resumes.duplicate({ id, name: "Copy" });
    expect(copy).toMatchObject({ data, isPublic: false, version: 1 });
    const file = await ada.api.resumes.export({ id: copy.id, format: "json" });
    expect(JSON.parse(file.body)).toEqual(data);
  });

  test("deleting frees the name, keeps the slug, and restore brings it back unpublished", async () => {
    const ada = await signIn();
    const { id, slug, name } = await published(ada);
    await ada.api.resumes.delete({ id });
    await expectRefusal(ada.api.resumes.get({ id }), "NOT_FOUND");
    await expectRefusal(visitor.resumes.bySlug({ slug }), "NOT_FOUND");
    const heir = await ada.api.resumes.create({ name });
    await expectRefusal(ada.api.resumes.create({ name: "other", slug }), "CONFLICT", "slug_taken");
    await expectRefusal(ada.api.resumes.restore({ id }), "CONFLICT", "name_taken");
    expect((await ada.api.resumes.list({ deleted: true })).items.map((item) => item.id)).toEqual([id]);
    await ada.api.resumes.delete({ id: heir.id });
    expect(await ada.api.resumes.restore({ id })).toMatchObject({ id, isPublic: false, deletedAt: null });
  });
});

describe("reading", () => {
  test("list pages through everything once, newest first", async () => {
    const ada = await signIn();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift((await ada.api.resumes.create({ name: `No ${i}` })).id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await ada.api.resumes.list({ limit: 2, cursor });
      seen.push(...page.items.map((item) => item.id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual(ids);
  });

  test("the world sees published résumés alone, without hidden or unknown fields", async () => {
    const ada = await signIn();
    const { slug, id } = await published(ada);
    const cache = openCache();
    const world = apiFor({}, cache.overrides);
    const seen = await world.resumes.bySlug({ slug });
    expect(seen.data).toEqual({
      basics: { name: "Ada", location: { city: "London" } },
      work: [{ name: "Engine", position: "Programmer" }],
    });
    expect(JSON.stringify(seen)).not.toMatch(/ada@example|\+44|1 Street|mine|salary|userId/);
    await ada.api.resumes.update({ id, version: 1, data, hidden: ["phone"] });
    await cache.pass(75);
    expect((await world.resumes.bySlug({ slug })).data.basics).toMatchObject({
      email: "ada@example.com",
      location: { address: "1 Street" },
    });
    await ada.api.resumes.update({ id, version: 2, data: { ...data, basics: { phone: "+44 2", name: "A" } } });
    await cache.pass(75);
    expect((await world.resumes.bySlug({ slug })).data.basics).toEqual({ name: "A" });
    await ada.api.resumes.unpublish({ id });
    await cache.pass(75);
    await expectRefusal(world.resumes.bySlug({ slug }), "NOT_FOUND");
  });

  test("an unconfirmed address may not publish", async () => {
    const eve = await signIn({ emailVerified: false });
    const { id } = await eve.api.resumes.create({ name: "Eve" });
    await expectRefusal(eve.api.resumes.publish({ id }), "FORBIDDEN", "email_not_verified");
  });

  test("the page to print escapes what it shows", async () => {
    const ada = await signIn();
    const { id } = await ada.api.resumes.create({
      name: "html",
      data: { basics: { name: "<script>alert(1)</script>" } },
    });
    const { body } = await ada.api.resumes.export({ id, format: "html" });
    expect(body).toContain("&lt;script&gt;");
    expect(body).not.toContain("<script>");
  });
});

test("a person's export holds every résumé", async () => {
  const ada = await signIn();
  const { id } = await ada.api.resumes.create({ name: "mine", data });
  const deleted = await ada.api.resumes.create({ name: "gone" });
  await ada.api.resumes.delete({ id: deleted.id });
  const file = await ada.api.user.export();
  expect(file).toMatchObject({ resumes: [{ id, data }, { id: deleted.id }] });
});

test("the address of a résumé follows its user's", async () => {
  const ada = await signIn();
  const { id } = await ada.api.resumes.create({ name: "mine" });
  const next = `next-${unique()}@example.com`;
  await ownerSql(`update "user" set email = $2 where id = $1`, [ada.user.id, next]);
  const [row] = await withOwner((db) => db.select({ email: resume.userEmail }).from(resume).where(eq(resume.id, id)));
  expect(row).toEqual({ email: next });
});

test("deleting a user takes the résumés along", async () => {
  const { id } = await makeUser();
  const email = (await ownerSql(`select email from "user" where id = $1`, [id])).rows[0].email;
  await withOwner((db) =>
    db
      .insert(resume)
      .values({ userId: id, userEmail: email, name: "x", slug: `x-${unique()}`, data: {}, publicData: {} }),
  );
  await ownerSql(`delete from "user" where id = $1`, [id]);
  expect(await withOwner((db) => db.select().from(resume).where(eq(resume.userId, id)))).toEqual([]);
});
