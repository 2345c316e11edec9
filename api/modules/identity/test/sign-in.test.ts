import { eq, session, user } from "@repo/db";
import { expect, test } from "vitest";
import { testRuntime } from "../../../test/context.ts";
import { withOwner } from "../../../test/owner.ts";
import { authOf } from "../auth/auth.ts";
import { browser, isSignedIn, password, proofFor, randomEmail, registered, request } from "./browser.ts";

test("sets one strict cookie; cookie and bearer token both open the API, forged ones do not", async () => {
  const ada = await registered();
  const { data } = await ada.auth.signIn.email({ email: ada.email, password });
  const line = ada
    .last()
    ?.headers.getSetCookie()
    .find((set) => set.startsWith("fairlead.session_token="));
  expect(line).toMatch(/; HttpOnly; SameSite=Lax/i);
  expect(line).not.toMatch(/; Secure/i);
  const bearer = ada.last()?.headers.get("set-auth-token") ?? "";
  const token = data?.token ?? "";
  expect(await isSignedIn({ cookie: ada.cookie() })).toBe(true);
  for (const good of [bearer, encodeURIComponent(bearer)]) {
    expect(await isSignedIn({ authorization: `Bearer ${good}` })).toBe(true);
    expect(
      await (await request("/api/auth/get-session", { headers: { authorization: `Bearer ${good}` } })).json(),
    ).not.toBeNull();
  }
  for (const forged of [token, `${token}.`, `${token}.${btoa("x".repeat(32))}`, "x.y", `x${bearer}`]) {
    expect(await isSignedIn({ authorization: `Bearer ${forged}` })).toBe(false);
    expect(await isSignedIn({ cookie: `fairlead.session_token=${encodeURIComponent(forged)}` })).toBe(false);
    expect(
      await (await request("/api/auth/get-session", { headers: { authorization: `Bearer ${forged}` } })).json(),
    ).toBeNull();
  }
});

test("says the same for a wrong password and an unknown address, and takes as long", async () => {
  const { email } = await registered();
  const attempt = async (address: string) => {
    const { auth } = browser();
    const started = performance.now();
    const { error } = await auth.signIn.email({ email: address, password: "wrong horse battery" });
    return { error, slow: performance.now() - started >= 490 };
  };
  const [known, unknown] = await Promise.all([attempt(email), attempt(randomEmail())]);
  expect(known).toMatchObject({ error: { code: "INVALID_EMAIL_OR_PASSWORD", status: 401 }, slow: true });
  expect(unknown).toEqual(known);
});

test("a signed-out or deleted session fails on the very next request", async () => {
  const ada = await registered();
  await ada.auth.signIn.email({ email: ada.email, password });
  const cookie = ada.cookie();
  expect(await isSignedIn({ cookie })).toBe(true);
  await ada.auth.signOut();
  expect(await isSignedIn({ cookie })).toBe(false);
  expect(ada.jar.has("fairlead.session_token")).toBe(false);
  await ada.auth.signIn.email({ email: ada.email, password });
  await withOwner((db) => db.delete(session).where(eq(session.userId, ada.id)));
  expect(await isSignedIn({ cookie: ada.cookie() })).toBe(false);
  expect((await ada.auth.getSession()).data).toBeNull();
});

test("a banned user gets no session by any proof; an expired ban is over", async () => {
  const ada = await registered();
  const ban = (banExpires: Date | null) =>
    withOwner((db) => db.update(user).set({ banned: true, banExpires }).where(eq(user.email, ada.email)));
  await ban(null);
  expect((await ada.auth.signIn.email({ email: ada.email, password })).error).toMatchObject({
    code: "BANNED_USER",
    status: 403,
  });
  await ada.auth.emailOtp.sendVerificationOtp({ email: ada.email, type: "sign-in" });
  const { error } = await ada.auth.signIn.emailOtp({ email: ada.email, otp: await proofFor(ada.email) });
  expect(error).toMatchObject({ code: "BANNED_USER" });
  await ban(new Date(Date.now() - 1000));
  expect((await ada.auth.signIn.email({ email: ada.email, password })).error).toBeNull();
});

test("better-auth is built once, and concurrent requests each get their own answer from it", async () => {
  const people = await Promise.all(Array.from({ length: 8 }, () => registered()));
  const before = authOf(testRuntime().env);
  await Promise.all(people.map(({ auth, email }) => auth.signIn.email({ email, password })));
  const sessions = await Promise.all(people.map(({ auth }) => auth.getSession()));
  expect(sessions.map(({ data }) => data?.user.email)).toEqual(people.map(({ email }) => email));
  expect(authOf(testRuntime().env)).toBe(before);
});
