import { base32 } from "@better-auth/utils/base32";
import { createOTP } from "@better-auth/utils/otp";
import { eq, session, twoFactor } from "@repo/db";
import { expect, test } from "vitest";
import { withOwner } from "../../../test/owner.ts";
import { browser, isSignedIn, password, proofFor, registered, userOf } from "./browser.ts";

/** The code that an authenticator app shows for the address in the QR code, some half-minutes from now. */
async function codeOf(totpURI: string, halfMinutes = 0): Promise<string> {
  const secret = new TextDecoder().decode(base32.decode(new URL(totpURI).searchParams.get("secret") ?? ""));
  const otp = createOTP(secret);
  return otp.hotp(Math.floor(Date.now() / 30_000) + halfMinutes);
}

/** Somebody with a second factor. */
async function guarded() {
  const ada = await registered();
  await ada.auth.signIn.email({ email: ada.email, password });
  const { data } = await ada.auth.twoFactor.enable({ password });
  const { totpURI = "", backupCodes = [] } = data?.method === "totp" ? data : {};
  const usedCode = await codeOf(totpURI);
  await ada.auth.twoFactor.verifyTotp({ code: usedCode });
  return { ...ada, totpURI, usedCode, backupCodes };
}

const sessionsOf = (userId: string) => withOwner((db) => db.select().from(session).where(eq(session.userId, userId)));
const factorOf = (userId: string) =>
  withOwner(async (db) => (await db.select().from(twoFactor).where(eq(twoFactor.userId, userId)))[0]);

test("is on only once a code was shown, asks for the password, and keeps no secret in the clear", async () => {
  const ada = await registered();
  await ada.auth.signIn.email({ email: ada.email, password });
  expect((await ada.auth.twoFactor.enable({ password: "wrong horse battery" })).error?.code).toBe("INVALID_PASSWORD");
  const { data } = await ada.auth.twoFactor.enable({ password });
  expect((await userOf(ada.email))?.twoFactorEnabled).toBe(false);
  const { totpURI = "", backupCodes = [] } = data?.method === "totp" ? data : {};
  expect((await ada.auth.twoFactor.verifyTotp({ code: "000000" })).error?.code).toBe("INVALID_CODE");
  expect((await ada.auth.twoFactor.verifyTotp({ code: await codeOf(totpURI) })).error).toBeNull();
  expect((await userOf(ada.email))?.twoFactorEnabled).toBe(true);
  const kept = JSON.stringify(await factorOf(ada.id));
  const secret = new TextDecoder().decode(base32.decode(new URL(totpURI).searchParams.get("secret") ?? ""));
  expect(backupCodes).toHaveLength(10);
  for (const plain of [secret, ...backupCodes]) expect(kept).not.toContain(plain);
});

test("a password alone opens no session; with the code it does", async () => {
  const ada = await guarded();
  const there = browser();
  const { data } = await there.auth.signIn.email({ email: ada.email, password });
  expect(data).toMatchObject({ twoFactorRedirect: true, twoFactorMethods: ["totp"] });
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(false);
  expect((await there.auth.getSession()).data).toBeNull();
  const bearer = there.last()?.headers.get("set-auth-token");
  expect(bearer ?? "").toBe("");
  expect(await sessionsOf(ada.id)).toHaveLength(1);
  expect((await there.auth.twoFactor.verifyTotp({ code: await codeOf(ada.totpURI, 5) })).error?.code).toBe(
    "INVALID_CODE",
  );
  expect((await there.auth.twoFactor.verifyTotp({ code: await codeOf(ada.totpURI, 1) })).error).toBeNull();
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(true);
});

test("nor does a code from the mailbox", async () => {
  const ada = await guarded();
  const there = browser();
  await there.auth.emailOtp.sendVerificationOtp({ email: ada.email, type: "sign-in" });
  const { data } = await there.auth.signIn.emailOtp({ email: ada.email, otp: await proofFor(ada.email) });
  expect(data).toMatchObject({ twoFactorRedirect: true });
  expect(data).not.toHaveProperty("token");
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(false);
  expect(await sessionsOf(ada.id)).toHaveLength(1);
  expect((await there.auth.twoFactor.verifyTotp({ code: await codeOf(ada.totpURI, 1) })).error).toBeNull();
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(true);
});

test("a code opens it once, the one that turned it on included", async () => {
  const ada = await guarded();
  const attempt = async (code: string) => {
    const there = browser();
    await there.auth.signIn.email({ email: ada.email, password });
    const { error } = await there.auth.twoFactor.verifyTotp({ code });
    return [error?.code ?? null, await isSignedIn({ cookie: there.cookie() })];
  };
  expect(await attempt(ada.usedCode)).toEqual(["INVALID_CODE", false]);
  const code = await codeOf(ada.totpURI, 1);
  expect(await attempt(code)).toEqual([null, true]);
  expect(await attempt(code)).toEqual(["INVALID_CODE", false]);
});

test("two at once spend one code once", async () => {
  const ada = await guarded();
  const code = await codeOf(ada.totpURI, 1);
  const people = [browser(), browser(), browser()];
  for (const { auth } of people) await auth.signIn.email({ email: ada.email, password });
  const answers = await Promise.all(people.map(({ auth }) => auth.twoFactor.verifyTotp({ code })));
  expect(answers.filter(({ error }) => error === null)).toHaveLength(1);
  expect(await sessionsOf(ada.id)).toHaveLength(2);
});

test("a backup code opens it once", async () => {
  const ada = await guarded();
  const [code = ""] = ada.backupCodes;
  const attempt = async () => {
    const there = browser();
    await there.auth.signIn.email({ email: ada.email, password });
    const { error } = await there.auth.twoFactor.verifyBackupCode({ code });
    return [error?.code ?? null, await isSignedIn({ cookie: there.cookie() })];
  };
  expect(await attempt()).toEqual([null, true]);
  expect(await attempt()).toEqual(["INVALID_BACKUP_CODE", false]);
});

test("two at once spend one backup code once", async () => {
  const ada = await guarded();
  const [code = ""] = ada.backupCodes;
  const people = [browser(), browser()];
  for (const { auth } of people) await auth.signIn.email({ email: ada.email, password });
  const answers = await Promise.all(people.map(({ auth }) => auth.twoFactor.verifyBackupCode({ code })));
  expect(answers.filter(({ error }) => error === null)).toHaveLength(1);
});

test("guesses run out for one challenge, and for the account across challenges and addresses", async () => {
  const ada = await guarded();
  const codes: unknown[] = [];
  for (let challenge = 0; challenge < 3; challenge++) {
    const { auth } = browser();
    await auth.signIn.email({ email: ada.email, password });
    for (let guess = 0; guess < 4; guess++) {
      codes.push((await auth.twoFactor.verifyTotp({ code: "000000" })).error?.code ?? "rate-limited");
    }
  }
  expect(codes.filter((code) => code === "INVALID_CODE").length).toBeLessThanOrEqual(9);
  await withOwner((db) => db.update(twoFactor).set({ failedVerificationCount: 9 }).where(eq(twoFactor.userId, ada.id)));
  const last = browser();
  await last.auth.signIn.email({ email: ada.email, password });
  await last.auth.twoFactor.verifyTotp({ code: "000000" });
  const right = { code: await codeOf(ada.totpURI) };
  expect((await last.auth.twoFactor.verifyTotp(right)).error?.code).toBe("ACCOUNT_TEMPORARILY_LOCKED");
});

test("its cookie works for nobody else's account, and forged ones for none", async () => {
  const ada = await guarded();
  const eve = browser();
  expect((await eve.auth.twoFactor.verifyTotp({ code: await codeOf(ada.totpURI) })).error?.code).toBe(
    "INVALID_TWO_FACTOR_COOKIE",
  );
  eve.jar.set("fairlead.two_factor", "2fa-guess.c2lnbmF0dXJl");
  expect((await eve.auth.twoFactor.verifyTotp({ code: await codeOf(ada.totpURI) })).error?.status).toBe(401);
});

test("is asked for at every sign-in: no device is spared the next code", async () => {
  const ada = await guarded();
  const there = browser();
  await there.auth.signIn.email({ email: ada.email, password });
  const code = await codeOf(ada.totpURI, 1);
  expect((await there.auth.twoFactor.verifyTotp({ code, trustDevice: true })).error?.status).toBe(400);
  const [backup = ""] = ada.backupCodes;
  const trusting = { code: backup, trustDevice: true };
  expect((await there.auth.twoFactor.verifyBackupCode(trusting)).error?.status).toBe(400);
  expect([...there.jar.keys()].filter((name) => name.includes("trust"))).toEqual([]);
  expect((await there.auth.twoFactor.verifyTotp({ code })).error).toBeNull();
});

test("turning it off asks for the password", async () => {
  const ada = await guarded();
  expect((await ada.auth.twoFactor.disable({ password: "wrong horse battery" })).error?.code).toBe("INVALID_PASSWORD");
  expect((await ada.auth.twoFactor.disable({ password })).error).toBeNull();
  expect(await factorOf(ada.id)).toBeUndefined();
  expect((await browser().auth.signIn.email({ email: ada.email, password })).data?.user.email).toBe(ada.email);
});
