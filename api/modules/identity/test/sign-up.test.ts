import { eq, identity } from "@repo/db";
import { expect, test } from "vitest";
import { withOwner } from "../../../test/owner.ts";
import { browser, password, proofFor, randomEmail, registered, request, subjectsTo, userOf } from "./browser.ts";

test("needs the address confirmed by the mailed link before a password opens a session", async () => {
  const { auth, jar } = browser();
  const email = randomEmail();
  const { data } = await auth.signUp.email({ email: email.toUpperCase(), password, name: "Ada" });
  expect(data).toMatchObject({ token: null, user: { email, emailVerified: false } });
  expect(await userOf(email)).toMatchObject({ emailVerified: false, id: expect.stringMatching(/^user_/) });
  expect((await auth.signIn.email({ email, password })).error).toMatchObject({
    code: "EMAIL_NOT_VERIFIED",
    status: 403,
  });
  expect(jar.has("fairlead.session_token")).toBe(false);
  await request(await proofFor(email));
  expect((await auth.signIn.email({ email, password })).data?.user.email).toBe(email);
  expect((await auth.getSession()).data?.user).toMatchObject({ email, emailVerified: true });
});

test("can be confirmed by a code instead", async () => {
  const { auth } = browser();
  const email = randomEmail();
  await auth.signUp.email({ email, password, name: "Ada" });
  await auth.emailOtp.sendVerificationOtp({ email, type: "email-verification" });
  expect((await auth.emailOtp.verifyEmail({ email, otp: await proofFor(email) })).data?.status).toBe(true);
  expect(await userOf(email)).toMatchObject({ emailVerified: true });
});

test("never takes role, ban or verification from the input", async () => {
  const { auth, send } = browser();
  const email = randomEmail();
  const grab = { role: "admin", emailVerified: true, isAnonymous: true, twoFactorEnabled: true, id: "user_mine" };
  await auth.signUp.email({ email, password, name: "Ada", ...grab });
  expect(await userOf(email)).toMatchObject({
    role: "user",
    emailVerified: false,
    isAnonymous: false,
    twoFactorEnabled: false,
  });
  const ada = await registered();
  for (const field of [{ role: "admin" }, { banned: true }, { emailVerified: true }]) {
    const body = JSON.stringify({ name: "Ada", ...field });
    const headers = { "content-type": "application/json", cookie: ada.cookie() };
    await send("/api/auth/update-user", { method: "POST", body, headers });
    await ada.send("/api/auth/update-user", { method: "POST", body, headers });
  }
  expect(await userOf(ada.email)).toMatchObject({ role: "user", banned: false });
});

test("answers the same for a known address, whose owner alone is told", async () => {
  const { email } = await registered();
  const fresh = randomEmail();
  const shapeOf = async (address: string) => {
    const { auth, last } = browser();
    const { data } = await auth.signUp.email({
      email: address,
      password,
      name: "Eve",
      image: "https://example.com/e.png",
    });
    const { id, email: echoed, createdAt, updatedAt, ...rest } = data?.user ?? {};
    return {
      id: id?.slice(0, 5),
      echoed: echoed === address,
      keys: Object.keys(data?.user ?? {}),
      rest,
      status: last()?.status,
    };
  };
  const [known, unknown] = await Promise.all([shapeOf(email), shapeOf(fresh)]);
  expect(known).toEqual(unknown);
  expect(await subjectsTo(email)).toEqual(["You already have an account"]);
  const bad = async (address: string) => {
    const { auth } = browser();
    return (await auth.signUp.email({ email: address, password, name: "a\u0000b" })).error;
  };
  const refusals = await Promise.all([bad(email), bad(randomEmail())]);
  expect(refusals[0]).toMatchObject({ code: "INVALID_PROFILE", status: 400 });
  expect(refusals[0]).toEqual(refusals[1]);
});

test.each([
  ["shorter than 10", "x".repeat(9), "PASSWORD_TOO_SHORT"],
  ["longer than 128", "x".repeat(129), "PASSWORD_TOO_LONG"],
])("refuses a password %s characters", async (_, tried, code) => {
  const { auth } = browser();
  expect((await auth.signUp.email({ email: randomEmail(), password: tried, name: "Ada" })).error?.code).toBe(code);
});

test("keeps passwords as scrypt hashes", async () => {
  const email = randomEmail();
  await browser().auth.signUp.email({ email, password, name: "Ada" });
  const row = await userOf(email);
  const [kept] = await withOwner((db) =>
    db
      .select()
      .from(identity)
      .where(eq(identity.userId, row?.id ?? "")),
  );
  expect(kept).toMatchObject({ providerId: "credential", password: expect.stringMatching(/^scrypt\$16384\$8\$5\$/) });
  expect(kept?.id).toMatch(/^idn_/);
});
