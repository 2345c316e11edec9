import { expect, test } from "vitest";
import { signIn, unique } from "../../test/actors.ts";
import { apiFor, measure, procedures } from "../../test/call.ts";
import { expectRefusal } from "../../test/errors.ts";

const png = Buffer.from("89504e470d0a1a0a0000", "hex").toString("base64");

/** A valid input of every procedure that takes a résumé's id. */
const withId: Record<string, (id: string) => unknown> = {
  "resumes.get": (id) => ({ id }),
  "resumes.export": (id) => ({ id }),
  "resumes.stats": (id) => ({ id }),
  "resumes.duplicate": (id) => ({ id, name: `Copy ${unique()}` }),
  "resumes.update": (id) => ({ id, version: 1, data: {} }),
  "resumes.rename": (id) => ({ id, name: `Name ${unique()}` }),
  "resumes.publish": (id) => ({ id }),
  "resumes.unpublish": (id) => ({ id }),
  "resumes.setThumbnail": (id) => ({ id, image: png }),
  "resumes.delete": (id) => ({ id }),
  "resumes.restore": (id) => ({ id }),
};
const withoutId: Record<string, () => unknown> = {
  "resumes.list": () => ({}),
  "resumes.create": () => ({ name: `New ${unique()}` }),
  "resumes.import": () => ({ json: {}, name: `Import ${unique()}` }),
};
const open = ["resumes.bySlug", "resumes.trackView", "resumes.trackDownload"];

test("every procedure of the module is covered here", () => {
  const all = Object.keys(procedures).filter((path) => path.startsWith("resumes."));
  expect([...Object.keys(withId), ...Object.keys(withoutId), ...open].sort()).toEqual(all.sort());
});

test.each(Object.keys(withId))("%s with another user's id is NOT_FOUND and leaves the row as it was", async (path) => {
  const ada = await signIn();
  const eve = await signIn();
  const { id } = await ada.api.resumes.create({ name: "mine" });
  if (path === "resumes.restore") await ada.api.resumes.delete({ id });
  const before = await ada.api.resumes.list({ deleted: path === "resumes.restore" });
  const input = withId[path]?.(id);
  await expectRefusal(measure(eve.headers, path, input), "NOT_FOUND");
  expect(await ada.api.resumes.list({ deleted: path === "resumes.restore" })).toEqual(before);
  expect((await eve.api.resumes.list({})).items).toEqual([]);
});

test.each([...Object.keys(withId), ...Object.keys(withoutId)])("%s is refused to a visitor", async (path) => {
  const ada = await signIn();
  const { id } = await ada.api.resumes.create({ name: "mine" });
  const input = withId[path]?.(id) ?? withoutId[path]?.();
  await expectRefusal(measure({}, path, input), "UNAUTHENTICATED");
});

test("another user's cursor shows nothing of theirs", async () => {
  const ada = await signIn();
  const eve = await signIn();
  const { id } = await ada.api.resumes.create({ name: "mine" });
  expect(await eve.api.resumes.list({ cursor: `${id}z` })).toEqual({ items: [], nextCursor: null });
});

test.each([...Object.keys(withId), ...Object.keys(withoutId)])("%s takes exactly its budget of trips", async (path) => {
  const ada = await signIn();
  const { id } = await ada.api.resumes.create({ name: "mine" });
  if (path === "resumes.restore") await ada.api.resumes.delete({ id });
  const { trips } = await measure(ada.headers, path, withId[path]?.(id) ?? withoutId[path]?.());
  expect(trips).toBe(procedures[path]?._def.meta?.trips);
  expect(trips).toBe(path === "resumes.duplicate" ? 4 : procedures[path]?._def.type === "query" ? 2 : 3);
});

test("a public read takes one trip, a visit none", async () => {
  const ada = await signIn();
  const { id } = await ada.api.resumes.create({ name: "mine" });
  const { slug } = await ada.api.resumes.publish({ id });
  expect((await measure({}, "resumes.bySlug", { slug })).trips).toBe(1);
  expect((await measure({}, "resumes.trackView", { slug })).trips).toBe(0);
  expect(await expectRefusal(apiFor({}).resumes.bySlug({ slug: "no-such-slug" }), "NOT_FOUND")).toMatchObject({
    message: "No such résumé",
  });
});
