import { eq, identity } from "@repo/db";
import { expect, test } from "vitest";
import { testRuntime } from "../../../test/context.ts";
import { withOwner } from "../../../test/owner.ts";
import { authOf } from "../auth/auth.ts";
import {
  browser,
  isSignedIn,
  password,
  proofFor,
  randomEmail,
  randomIp,
  registered,
  request,
  userOf,
} from "./browser.ts";

// Faults that published advisories name, of features that are on here.

test("whoever signs up with another's address beforehand does not get into the account once its owner has proved it", async () => {
  const email = randomEmail();
  const eve = browser();
  await eve.auth.signUp.email({ email, password, name: "Eve" });
  const ada = browser();
  await ada.auth.emailOtp.sendVerificationOtp({ email, type: "sign-in" });
  expect((await ada.auth.signIn.emailOtp({ email, otp: await proofFor(email) })).error).toBeNull();
  const row = await userOf(email);
  const kept = await withOwner((db) =>
    db
      .select()
      .from(identity)
      .where(eq(identity.userId, row?.id ?? "")),
  );
  expect(kept.filter(({ providerId }) => providerId === "credential")).toEqual([]);
  expect((await eve.auth.signIn.email({ email, password })).error?.status).toBe(401);
  expect(await isSignedIn({ cookie: eve.cookie() })).toBe(false);
  expect(await isSignedIn({ cookie: ada.cookie() })).toBe(true);
});

const block = `2001:db8:${Math.floor(Math.random() * 0xffff).toString(16)}:7`;

test("one IPv6 network is one address to the limits, however it is written", async () => {
  const forms = [
    `${block}::1`,
    `${block}:0:0:0:2`,
    `${block.toUpperCase()}::3`,
    `${block}:0000::4`,
    `${block}:a:b:c:d`,
  ];
  const attempts = [...forms, ...forms].map((ip) =>
    browser(ip).auth.signUp.email({ email: randomEmail(), password: "short", name: "x" }),
  );
  const statuses = (await Promise.all(attempts)).map(({ error }) => error?.status);
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
});

test("a path with slashes too many leads to no endpoint", async () => {
  const { ask } = browser();
  for (const path of ["//sign-in/email", "/sign-in//email", "//update-session"]) {
    expect([path, (await ask(path, { email: randomEmail(), password })).status]).toEqual([path, 404]);
  }
});

test("the error page shows nothing of its address as HTML", async () => {
  const evil = encodeURIComponent("<img src=x onerror=alert(1)>");
  const { send } = browser();
  for (const query of [`error=${evil}`, `error=x&error_description=${evil}`, `error=%22%3E${evil}`]) {
    const answer = await send(`${testRuntime().env.APP_URL}/api/auth/error?${query}`);
    expect(await answer.text()).not.toContain("<img");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  }
});

test("letters lead to the address of the settings, whatever host was asked", async () => {
  const { email } = await registered();
  const headers = {
    "content-type": "application/json",
    "cf-connecting-ip": randomIp(),
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
  };
  const body = JSON.stringify({ email });
  const asked = await request("https://evil.example/api/auth/request-password-reset", {
    method: "POST",
    headers,
    body,
  });
  expect(asked.status).toBe(200);
  expect(new URL(await proofFor(email)).origin).toBe(new URL(testRuntime().env.APP_URL).origin);
});

test("no session is kept in a cookie, and no endpoint makes keys or approves devices", async () => {
  const { api, options } = authOf(testRuntime().env);
  expect(options.session.cookieCache.enabled).toBe(false);
  const paths = Object.values(api).map(({ path }) => path ?? "");
  expect(paths.filter((path) => /^\/(api-key|device|admin|oauth2|mcp|sso|scim|organization)\b/.test(path))).toEqual([]);
});
