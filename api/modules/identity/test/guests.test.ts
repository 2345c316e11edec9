import { eq, user } from "@repo/db";
import { expect, test } from "vitest";
import { apiFor } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { browser, isSignedIn, password, proofFor, randomEmail, registered } from "./browser.ts";

const rowOf = (id: string) => withOwner((db) => db.select().from(user).where(eq(user.id, id)));

/** A visitor who has begun to try things out. */
async function guest() {
  const there = browser();
  const { data } = await there.auth.signIn.anonymous();
  return { ...there, id: data?.user.id ?? "", api: apiFor({ cookie: there.cookie() }) };
}

test("a guest has an account without an address, and no second one", async () => {
  const { id, api, auth } = await guest();
  expect(await api.user.me()).toMatchObject({ id, isAnonymous: true, emailVerified: false, name: "Guest" });
  expect((await rowOf(id))[0]?.email).toMatch(/@guest\.invalid$/);
  expect((await auth.signIn.anonymous()).error?.status).toBe(400);
});

test("what a guest made moves to the account that they sign in to, and the guest is gone", async () => {
  const ada = await registered();
  await ada.auth.signIn.email({ email: ada.email, password });
  const own = apiFor({ cookie: ada.cookie() });
  await own.resumes.create({ name: "CV", data: {} });
  const visitor = await guest();
  const first = await visitor.api.resumes.create({ name: "CV", data: {} });
  const second = await visitor.api.resumes.create({ name: "Other", data: {} });
  const cookieOfGuest = visitor.cookie();
  expect((await visitor.auth.signIn.email({ email: ada.email, password })).error).toBeNull();
  const { items } = await apiFor({ cookie: visitor.cookie() }).resumes.list({});
  expect(items.map(({ name }) => name).sort()).toEqual(["CV", "CV (2)", "Other"]);
  expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining([first.id, second.id]));
  const { rows } = await ownerSql("select user_email from resume where id = any($1)", [[first.id, second.id]]);
  expect(rows).toEqual([{ user_email: ada.email }, { user_email: ada.email }]);
  expect(await rowOf(visitor.id)).toEqual([]);
  expect(await isSignedIn({ cookie: cookieOfGuest })).toBe(false);
});

test("the same by a code, into an account that did not exist yet", async () => {
  const visitor = await guest();
  const { id } = await visitor.api.resumes.create({ name: "CV", data: {} });
  const email = randomEmail();
  await visitor.auth.emailOtp.sendVerificationOtp({ email, type: "sign-in" });
  expect((await visitor.auth.signIn.emailOtp({ email, otp: await proofFor(email) })).error).toBeNull();
  const { items } = await apiFor({ cookie: visitor.cookie() }).resumes.list({});
  expect(items.map((item) => item.id)).toEqual([id]);
  expect(await rowOf(visitor.id)).toEqual([]);
});

test("a failed hand-over leaves guest and résumés as they were", async () => {
  const visitor = await guest();
  const { id } = await visitor.api.resumes.create({ name: "CV", data: {} });
  await expect(ownerSql("select auth.adopt_resumes($1, $1)", [visitor.id])).rejects.toThrow("only what a guest has");
  const real = await registered();
  await expect(ownerSql("select auth.adopt_resumes($1, $2)", [real.id, real.id])).rejects.toThrow(
    "only what a guest has",
  );
  const { rows } = await ownerSql("select user_id from resume where id = $1", [id]);
  expect(rows).toEqual([{ user_id: visitor.id }]);
});

test("a wrong password moves nothing", async () => {
  const ada = await registered();
  const visitor = await guest();
  await visitor.auth.signIn.email({ email: ada.email, password: "wrong horse battery" });
  expect(await rowOf(visitor.id)).toHaveLength(1);
  expect(await isSignedIn({ cookie: visitor.cookie() })).toBe(true);
});

test("guests found no organizations", async () => {
  const { api } = await guest();
  await expectRefusal(api.organization.create({ name: "Nobody's" }), "FORBIDDEN", "guest");
});
