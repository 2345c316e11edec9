import { expect, test } from "vitest";
import { signIn } from "../../test/actors.ts";
import { auditOf } from "../../test/audit.ts";
import { expectRefusal } from "../../test/errors.ts";

const png = Buffer.from("89504e470d0a1a0a0000", "hex").toString("base64");

test("every write is written down with what changed, never the document; refused ones are not", async () => {
  const ada = await signIn();
  const { id, slug } = await ada.api.resumes.create({ name: "mine", data: { basics: { phone: "+44 1" } } });
  await ada.api.resumes.update({ id, version: 1, data: { basics: { phone: "+44 2" } } });
  await expectRefusal(ada.api.resumes.update({ id, version: 1, data: {} }), "CONFLICT", "stale_version");
  await expectRefusal(ada.api.resumes.create({ name: "mine" }), "CONFLICT", "name_taken");
  await ada.api.resumes.rename({ id, name: "yours" });
  await ada.api.resumes.publish({ id });
  const { thumbnailUrl } = await ada.api.resumes.setThumbnail({ id, image: png });
  await ada.api.resumes.delete({ id });
  await ada.api.resumes.restore({ id });
  const written = await auditOf(id);
  const deletedAt = expect.stringMatching(/^\d{4}-/);
  expect(written.map(({ action, before, after }) => [action, before, after])).toEqual([
    ["resume.create", null, expect.objectContaining({ name: "mine", slug, version: 1 })],
    ["resume.update", { version: 1 }, { version: 2 }],
    ["resume.rename", { name: "mine" }, { name: "yours" }],
    ["resume.publish", { isPublic: false }, { isPublic: true }],
    ["resume.setThumbnail", { thumbnailUrl: null }, { thumbnailUrl }],
    ["resume.delete", { isPublic: true, deletedAt: null }, { isPublic: false, deletedAt }],
    ["resume.restore", { deletedAt }, { deletedAt: null }],
  ]);
  expect(new Set(written.map(({ actorId, organizationId }) => `${actorId} ${organizationId}`))).toEqual(
    new Set([`${ada.user.id} null`]),
  );
  expect(JSON.stringify(written)).not.toContain("+44");
});

test("copies and imports are written down too", async () => {
  const ada = await signIn();
  const { id } = await ada.api.resumes.import({ json: {}, name: "Imported" });
  const copy = await ada.api.resumes.duplicate({ id, name: "Copy" });
  expect(await auditOf(id)).toMatchObject([{ action: "resume.create", after: { name: "Imported" } }]);
  expect(await auditOf(copy.id)).toMatchObject([{ action: "resume.create", after: { name: "Copy" } }]);
});
