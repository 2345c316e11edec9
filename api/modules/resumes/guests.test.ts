import { expect, test } from "vitest";
import { listOutbox } from "../../core/mail/outbox.ts";
import { makeUser, openSession, signIn, unique } from "../../test/actors.ts";
import { apiFor } from "../../test/call.ts";
import { testRuntime } from "../../test/context.ts";
import { post } from "../../test/http.ts";
import { ownerSql } from "../../test/owner.ts";

const rowsOf = async (userId: string) =>
  (await ownerSql("select id, user_email, name from resume where user_id = $1 order by id", [userId])).rows;

/** A visitor without an address, with the cookie of their session. */
async function guest() {
  const { id } = await makeUser({ isAnonymous: true, emailVerified: false, email: `${unique()}@guest.invalid` });
  const { cookie } = await openSession(id);
  return { id, cookie, api: apiFor({ cookie }) };
}

/** Signs in with a mailed code, from a browser that has the cookie. */
async function enterByCode(email: string, cookie: string): Promise<number> {
  const headers = { cookie, origin: testRuntime().env.APP_URL, "cf-connecting-ip": `10.9.${Date.now() % 250}.7` };
  await post("/api/auth/email-otp/send-verification-otp", { email, type: "sign-in" }, headers);
  const [mail] = await listOutbox(testRuntime().env.FILES, email);
  const otp = mail?.text.match(/\b\d{6}\b/)?.[0];
  return (await post("/api/auth/sign-in/email-otp", { email, otp }, headers)).status;
}

test("a guest's résumés move to the account that they sign in to, renamed where a name is taken", async () => {
  const ada = await signIn();
  const own = await ada.api.resumes.create({ name: "CV", data: {} });
  const visitor = await guest();
  const first = await visitor.api.resumes.create({ name: "CV", data: {} });
  const second = await visitor.api.resumes.create({ name: "Other", data: {} });
  expect(await enterByCode(ada.user.email, visitor.cookie)).toBe(200);
  expect(await rowsOf(ada.user.id)).toEqual([
    { id: own.id, user_email: ada.user.email, name: "CV" },
    { id: first.id, user_email: ada.user.email, name: "CV (2)" },
    { id: second.id, user_email: ada.user.email, name: "Other" },
  ]);
  expect(await rowsOf(visitor.id)).toEqual([]);
  await ada.api.resumes.update({ id: first.id, version: 1, data: {} });
});

test("only what a guest has can be handed over, and only to a user", async () => {
  const visitor = await guest();
  const { id } = await visitor.api.resumes.create({ name: "CV", data: {} });
  const [ada, eve] = [await makeUser(), await makeUser()];
  const pairs = [
    [visitor.id, visitor.id],
    [ada.id, eve.id],
    ["user_nobody", ada.id],
  ];
  for (const pair of pairs) {
    await expect(ownerSql("select auth.adopt_resumes($1, $2)", pair)).rejects.toThrow("only what a guest has");
  }
  expect(await rowsOf(visitor.id)).toMatchObject([{ id }]);
});
