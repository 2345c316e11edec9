import { rateLimit } from "@repo/db";
import { like } from "drizzle-orm";
import { expect, test } from "vitest";
import { withOwner } from "../../../test/owner.ts";
import { browser, password, randomEmail, request } from "./browser.ts";

const elsewhere = ["https://evil.example/x", "//evil.example", "/\\evil.example", "http://localhost:5173.evil.example"];

test("never redirects to another site", async () => {
  const email = randomEmail();
  const attempts = elsewhere.flatMap((target) => {
    const { auth } = browser();
    const link = `/api/auth/verify-email?token=x&callbackURL=${encodeURIComponent(target)}`;
    return [
      auth.requestPasswordReset({ email, redirectTo: target }).then(({ error }) => error?.status),
      auth.signUp.email({ email, password, name: "Ada", callbackURL: target }).then(({ error }) => error?.status),
      request(link, { redirect: "manual" }).then(({ status }) => status),
    ];
  });
  expect(new Set(await Promise.all(attempts))).toEqual(new Set([403]));
});

test("refuses a request of another origin", async () => {
  const headers = { origin: "https://evil.example", "content-type": "application/json" };
  const body = JSON.stringify({ email: randomEmail(), password });
  expect((await request("/api/auth/sign-in/email", { method: "POST", headers, body })).status).toBe(403);
});

test("limits attempts per IP address, counted in the database, with Retry-After", async () => {
  const { auth, ip, last } = browser();
  const attempts = Array.from({ length: 6 }, () =>
    auth.signUp.email({ email: randomEmail(), password: "short", name: "x" }),
  );
  const statuses = (await Promise.all(attempts)).map(({ error }) => error?.status).sort();
  expect(statuses).toEqual([400, 400, 400, 400, 400, 429]);
  expect((await auth.signUp.email({ email: randomEmail(), password: "short", name: "x" })).error?.status).toBe(429);
  expect(Number(last()?.headers.get("retry-after"))).toBeGreaterThan(0);
  const rows = await withOwner((db) =>
    db
      .select()
      .from(rateLimit)
      .where(like(rateLimit.key, `${ip}%`)),
  );
  expect(rows).toMatchObject([{ count: 6, id: expect.stringMatching(/^rl_/) }]);
});

test("limits attempts per e-mail address, wherever they come from", async () => {
  const email = randomEmail();
  const attempts = Array.from({ length: 12 }, () =>
    browser().auth.signIn.email({ email, password: "wrong horse battery" }),
  );
  const statuses = (await Promise.all(attempts)).map(({ error }) => error?.status).sort();
  expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
});

test("a write takes its sender past the cache", async () => {
  const { auth, last } = browser();
  await auth.emailOtp.sendVerificationOtp({ email: randomEmail(), type: "sign-in" });
  expect(last()?.headers.get("x-fresh-until")).toMatch(/^\d{13}\./);
});
