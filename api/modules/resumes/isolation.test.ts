import { expect, test } from "vitest";
import { signIn } from "../../test/actors.ts";
import { apiFor } from "../../test/call.ts";
import { expectRefusal } from "../../test/errors.ts";

// Every procedure against visitors, other users and their ids: api/test/isolation.

test("another user's cursor shows nothing of theirs", async () => {
  const ada = await signIn();
  const eve = await signIn();
  const { id } = await ada.api.resumes.create({ name: "mine" });
  expect(await eve.api.resumes.list({ cursor: `${id}z` })).toEqual({ items: [], nextCursor: null });
});

test("a slug that nobody has is answered as one that is private", async () => {
  expect(await expectRefusal(apiFor({}).resumes.bySlug({ slug: "no-such-slug" }), "NOT_FOUND")).toMatchObject({
    message: "No such résumé",
  });
});
