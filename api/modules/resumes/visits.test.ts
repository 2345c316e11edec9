import { createMessageBatch } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { runBatch } from "../../core/jobs.ts";
import { type Actor, signIn, unique } from "../../test/actors.ts";
import { testRuntime } from "../../test/context.ts";
import { expectRefusal } from "../../test/errors.ts";
import { get } from "../../test/http.ts";
import { ownerSql } from "../../test/owner.ts";
import { expectLoggedErrors } from "../../test/setup.ts";
import { cleanUpResumes } from "./cron.ts";
import { visitJob } from "./jobs.ts";

const day = new Date().toISOString().slice(0, 10);
const png = Buffer.from("89504e470d0a1a0a00000000", "hex").toString("base64");

async function published(actor: Actor) {
  const { id } = await actor.api.resumes.create({ name: `Seen ${unique()}` });
  return actor.api.resumes.publish({ id });
}

async function deliver(...payloads: unknown[]) {
  const messages = payloads.map((payload) => ({
    id: crypto.randomUUID(),
    timestamp: new Date(),
    attempts: 1,
    body: { job: visitJob.name, payload },
  }));
  const batch = createMessageBatch("fairlead-jobs", messages);
  const settled: string[] = [];
  for (const message of batch.messages) {
    message.ack = () => void settled.push("ack");
    message.retry = () => void settled.push("retry");
  }
  await runBatch([visitJob], batch as never, testRuntime());
  return settled;
}

describe("visits", () => {
  test("count once per visitor, kind and day, even when delivered twice", async () => {
    const ada = await signIn();
    const { id, slug } = await published(ada);
    const visit = { kind: "view", slug, day, visitor: "v1" };
    const batch = [
      visit,
      visit,
      { ...visit, visitor: "v2" },
      { ...visit, kind: "download" },
      { ...visit, slug: "none-such" },
    ];
    expect(await deliver(...batch)).toEqual(Array(5).fill("ack"));
    await deliver(...batch);
    await deliver({ ...visit, day: "2026-01-01" });
    expect(await ada.api.resumes.get({ id })).toMatchObject({ views: 3, downloads: 1 });
    expect(await ada.api.resumes.stats({ id })).toEqual({
      views: 3,
      downloads: 1,
      days: [{ day, views: 2, downloads: 1 }],
    });
  });

  test("of a private résumé count nothing", async () => {
    const ada = await signIn();
    const { id, slug } = await published(ada);
    await ada.api.resumes.unpublish({ id });
    await deliver({ kind: "view", slug, day, visitor: "v1" });
    expect(await ada.api.resumes.get({ id })).toMatchObject({ views: 0 });
  });

  test("in ten concurrent batches lose nothing", async () => {
    const ada = await signIn();
    const { id, slug } = await published(ada);
    const batches = Array.from({ length: 10 }, (_, batch) =>
      Array.from({ length: 10 }, (_, i) => ({ kind: "view", slug, day, visitor: `${batch}-${i}` })),
    );
    await Promise.all(batches.map((batch) => deliver(...batch)));
    expect(await ada.api.resumes.get({ id })).toMatchObject({ views: 100 });
  });

  test("that cannot be read are retried and logged, and stop nobody else", async () => {
    const logged = expectLoggedErrors();
    expect(await deliver({ kind: "glance" })).toEqual(["retry"]);
    expect(logged.join()).toContain("job failed");
  });
});

describe("thumbnails", () => {
  test("are told by their content, served from an address that changes with every image, and replaced", async () => {
    const ada = await signIn();
    const { id } = await ada.api.resumes.create({ name: "with image" });
    const gif = Buffer.from("GIF89a......").toString("base64");
    await expectRefusal(ada.api.resumes.setThumbnail({ id, image: gif }), "BAD_REQUEST", "image_type");
    const first = await ada.api.resumes.setThumbnail({ id, image: png });
    const second = await ada.api.resumes.setThumbnail({ id, image: png });
    const path = (url: string | null) => new URL(url ?? "").pathname;
    expect(path(first.thumbnailUrl)).not.toBe(path(second.thumbnailUrl));
    const shown = await get(path(second.thumbnailUrl));
    expect(shown.headers.get("content-type")).toBe("image/png");
    expect(Buffer.from(await shown.arrayBuffer()).toString("base64")).toBe(png);
    await expect.poll(async () => (await get(path(first.thumbnailUrl))).status).toBe(404);
    await ada.api.resumes.setThumbnail({ id, image: null });
    await expect.poll(async () => (await get(path(second.thumbnailUrl))).status).toBe(404);
  });

  test("over 512 KiB are refused, naming the field", async () => {
    const ada = await signIn();
    const { id } = await ada.api.resumes.create({ name: "large image" });
    const image = Buffer.alloc(512 * 1024 + 3, 1).toString("base64");
    expect(await expectRefusal(ada.api.resumes.setThumbnail({ id, image }), "BAD_REQUEST")).toMatchObject({
      field: "image",
    });
  });
});

test("30 days after its deletion a résumé's slug is free and its files are gone", async () => {
  const ada = await signIn();
  const kept = await ada.api.resumes.create({ name: "kept" });
  const old = await ada.api.resumes.create({ name: "old" });
  await ada.api.resumes.setThumbnail({ id: kept.id, image: png });
  await ada.api.resumes.setThumbnail({ id: old.id, image: png });
  for (const { id } of [kept, old]) await ada.api.resumes.delete({ id });
  await ownerSql("update resume set deleted_at = now() - interval '31 days' where id = $1", [old.id]);
  await cleanUpResumes(testRuntime());
  await ada.api.resumes.create({ name: "heir", slug: old.slug });
  await expectRefusal(ada.api.resumes.create({ name: "too early", slug: kept.slug }), "CONFLICT", "slug_taken");
  const files = async (id: string) => (await testRuntime().env.FILES.list({ prefix: `resumes/${id}/` })).objects.length;
  expect([await files(old.id), await files(kept.id)]).toEqual([0, 1]);
});
