import { verification } from "@repo/db";
import { like } from "drizzle-orm";
import { expect, test } from "vitest";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { browser, isSignedIn, password, proofFor, randomEmail, registered, request, subjectsTo } from "./browser.ts";

test("sign in known and new addresses alike; a code works once and is kept hashed", async () => {
  for (const email of [(await registered()).email, randomEmail()]) {
    const { auth } = browser();
    expect((await auth.emailOtp.sendVerificationOtp({ email, type: "sign-in" })).data).toEqual({ success: true });
    const otp = await proofFor(email);
    const { rows } = await ownerSql("select identifier || value as kept from verification");
    expect(JSON.stringify(rows)).not.toContain(email);
    expect(rows.some(({ kept }) => String(kept).includes(otp))).toBe(false);
    expect((await auth.signIn.emailOtp({ email, otp })).data?.user.email).toBe(email);
    expect((await browser().auth.signIn.emailOtp({ email, otp })).error?.code).toBe("INVALID_OTP");
  }
});

const times = (count: number) => Array.from({ length: count });

test("sent many times at once a code opens one session", async () => {
  const email = randomEmail();
  await browser().auth.emailOtp.sendVerificationOtp({ email, type: "sign-in" });
  const otp = await proofFor(email);
  const answers = await Promise.all(times(6).map(() => browser().auth.signIn.emailOtp({ email, otp })));
  expect(answers.filter(({ error }) => error === null)).toHaveLength(1);
});

test("sent many times at once a reset link sets one password", async () => {
  const ada = await registered();
  await browser().auth.requestPasswordReset({ email: ada.email, redirectTo: "/reset" });
  const landing = (await request(await proofFor(ada.email), { redirect: "manual" })).headers.get("location") ?? "";
  const token = new URL(landing, "http://here").searchParams.get("token") ?? "";
  const attempts = times(4).map((_, n) => browser().auth.resetPassword({ token, newPassword: `${password} ${n}` }));
  expect((await Promise.all(attempts)).filter(({ error }) => error === null)).toHaveLength(1);
});

test("three wrong guesses spend a code, and unknown addresses look the same", async () => {
  const { email } = await registered();
  const guesses = async (address: string) => {
    const { auth } = browser();
    await auth.emailOtp.requestPasswordReset({ email: address });
    const codes: unknown[] = [];
    const body = JSON.stringify({ email: address, otp: "000000", password: "another horse battery" });
    for (let guess = 0; guess < 4; guess++) {
      const headers = { "content-type": "application/json" };
      const answer = await browser().send("/api/auth/email-otp/reset-password", { method: "POST", headers, body });
      const { status, statusText } = answer;
      codes.push({ status, statusText, type: answer.headers.get("content-type"), text: await answer.text() });
    }
    return codes;
  };
  const [known, unknown] = await Promise.all([guesses(email), guesses(randomEmail())]);
  expect(unknown).toEqual(known);
  expect(known[0]).toMatchObject({ status: 400, text: expect.stringContaining("INVALID_OTP") });
  const left = { email, otp: await proofFor(email), password: "another horse battery" };
  expect((await browser().auth.emailOtp.resetPassword(left)).error?.code).toBe("INVALID_OTP");
});

test("by the mailed link: the old password and all sessions end; the link works once", async () => {
  const ada = await registered();
  await ada.auth.signIn.email({ email: ada.email, password });
  const redirectTo = "http://localhost:5173/reset";
  await browser().auth.requestPasswordReset({ email: ada.email, redirectTo });
  const landing = (await request(await proofFor(ada.email), { redirect: "manual" })).headers.get("location") ?? "";
  expect(landing).toMatch(/^http:\/\/localhost:5173\/reset\?token=/);
  const token = new URL(landing).searchParams.get("token") ?? "";
  const held = await withOwner((db) =>
    db
      .select()
      .from(verification)
      .where(like(verification.identifier, `%${token}%`)),
  );
  expect(held).toEqual([]);
  const newPassword = "another horse battery";
  expect((await browser().auth.resetPassword({ newPassword, token })).data).toEqual({ status: true });
  expect(await isSignedIn({ cookie: ada.cookie() })).toBe(false);
  expect((await browser().auth.signIn.email({ email: ada.email, password })).error?.status).toBe(401);
  expect((await browser().auth.signIn.email({ email: ada.email, password: newPassword })).error).toBeNull();
  expect((await browser().auth.resetPassword({ newPassword, token })).error?.code).toBe("INVALID_TOKEN");
});

test("answers the same for an unknown address and mails nothing there", async () => {
  const { email } = await registered();
  const unknown = randomEmail();
  const answer = async (address: string) => (await browser().auth.requestPasswordReset({ email: address })).data;
  const [first, second] = await Promise.all([answer(email), answer(unknown)]);
  expect(first).toEqual(second);
  expect(await subjectsTo(unknown)).toEqual([]);
  expect(await subjectsTo(email)).toContain("Choose a new password");
});
