import { eq, rateLimit, session, verification } from "@repo/db";
import { like } from "drizzle-orm";
import { expect, test } from "vitest";
import { openSession, signIn } from "../../../test/actors.ts";
import { testRuntime } from "../../../test/context.ts";
import { withOwner } from "../../../test/owner.ts";
import { identity as identityModule } from "../index.ts";
import { browser, password, randomEmail, randomIp, registered, request } from "./browser.ts";

const elsewhere = [
  "https://evil.example/x",
  "//evil.example",
  "/\\evil.example",
  "http://localhost:5173.evil.example",
  "/..//evil.example",
  "/.//evil.example",
  "/a/..//evil.example",
];

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

const email = "somebody@example.com";
const waysIn: [string, number, object][] = [
  ["/sign-in/email", 10, { email, password }],
  ["/sign-up/email", 5, { email, password: "short", name: "x" }],
  ["/sign-in/email-otp", 10, { email, otp: "000000" }],
  ["/sign-in/social", 10, { provider: "google" }],
  ["/sign-in/anonymous", 10, {}],
  ["/email-otp/send-verification-otp", 3, { email, type: "sign-in" }],
  ["/email-otp/verify-email", 3, { email, otp: "000000" }],
  ["/email-otp/request-password-reset", 3, { email }],
  ["/email-otp/reset-password", 3, { email, otp: "000000", password }],
  ["/request-password-reset", 3, { email }],
  ["/send-verification-email", 3, { email }],
  ["/passkey/verify-authentication", 20, { response: {} }],
  ["/two-factor/verify-totp", 3, { code: "000000" }],
  ["/two-factor/verify-backup-code", 3, { code: "x" }],
];

test.each(waysIn)("%s lets an IP address in %i times a minute or less, then 429", async (path, max, body) => {
  const { ask, last } = browser();
  const answers = await Promise.all(Array.from({ length: max + 2 }, () => ask(path, body)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(2);
  expect((await ask(path, body)).status).toBe(429);
  expect(Number(last()?.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("made-up paths and parameters leave no rows of their own", async () => {
  const { ip, send } = browser();
  const made = ["made-up", "sign-in/made-up", "/sign-in/email", "sign-in/email/", "callback"];
  for (const path of made) expect([path, (await send(`/api/auth/${path}`)).status]).toEqual([path, 404]);
  for (const token of ["a", "b", "c"]) await send(`/api/auth/reset-password/${token}?callbackURL=/`);
  const rows = await withOwner((db) =>
    db
      .select({ key: rateLimit.key, count: rateLimit.count })
      .from(rateLimit)
      .where(like(rateLimit.key, `${ip}|%`)),
  );
  expect(rows).toEqual([{ key: `${ip}|/reset-password/:token`, count: 3 }]);
});

test("limits attempts at one e-mail address per network, so that nobody locks another out from afar", async () => {
  const { email } = await registered();
  const attempts = Array.from({ length: 12 }, (_, n) =>
    browser(`2001:db8:1:2::${n + 1}`).auth.signIn.email({ email, password: "wrong horse battery" }),
  );
  const statuses = (await Promise.all(attempts)).map(({ error }) => error?.status).sort();
  expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
  expect((await browser().auth.signIn.email({ email, password })).error).toBeNull();
});

test("limits guesses at the password of a session that was found, from wherever they come", async () => {
  const ada = await registered();
  await ada.auth.signIn.email({ email: ada.email, password });
  const guess = async (tried: string) => {
    const thief = browser();
    for (const [name, value] of ada.jar) thief.jar.set(name, value);
    const { status } = await thief.ask("/verify-password", { password: tried });
    return [status, thief.last()?.headers.has("retry-after")];
  };
  const answers = await Promise.all(Array.from({ length: 12 }, () => guess("wrong horse battery")));
  expect(answers.filter(([status]) => status === 429)).toEqual([
    [429, true],
    [429, true],
  ]);
  expect(await guess(password)).toEqual([429, true]);
  expect((await browser().auth.signIn.email({ email: ada.email, password })).error).toBeNull();
});

test("what an answer says beside its body does not depend on the address being known", async () => {
  const known = await registered();
  const told = async (email: string) => {
    const guest = browser();
    await guest.auth.signIn.email({ email, password: "wrong horse battery" });
    return [...(guest.last()?.headers ?? [])].filter(([name]) => name !== "x-request-id");
  };
  expect(await told(known.email)).toEqual(await told(randomEmail()));
});

test("a token in a path is not logged", async () => {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => void lines.push(line);
  await request("/api/auth/reset-password/secret-token?callbackURL=/", { redirect: "manual" });
  console.log = log;
  expect(lines.join()).toContain('"path":"/api/auth/reset-password"');
  expect(lines.join()).not.toContain("secret-token");
});

test("a write takes its sender past the cache", async () => {
  const { auth, last } = browser();
  await auth.emailOtp.sendVerificationOtp({ email: randomEmail(), type: "sign-in" });
  expect(last()?.headers.get("x-fresh-until")).toMatch(/^\d{13}\./);
});

const credentials = (email: string) => ({
  method: "POST",
  headers: { "content-type": "application/json", "cf-connecting-ip": randomIp() },
  body: JSON.stringify({ email, password }),
});

test("behind https the cookie is Secure and named so that browsers enforce it", async () => {
  const { email } = await registered();
  const overrides = { APP_URL: "https://api.example.com" };
  const signedIn = await request("/api/auth/sign-in/email", credentials(email), overrides);
  const line = signedIn.headers.getSetCookie().find((set) => set.includes("session_token"));
  expect(line).toMatch(/^__Secure-fairlead\.session_token=.*; HttpOnly; Secure; SameSite=Lax/i);
  const headers = { cookie: line?.split(";")[0] ?? "" };
  expect((await request("/api/trpc/user.me", { headers }, overrides)).status).toBe(200);
});

test("a database out of reach is 503, and nothing of it shows", async () => {
  const HYPERDRIVE_DIRECT = { connectionString: "postgres://app_direct:secret@127.0.0.1:1/fairlead" };
  const answer = await request("/api/auth/sign-in/email", credentials(randomEmail()), { HYPERDRIVE_DIRECT });
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("2");
  expect(await answer.text()).not.toMatch(/secret|select|insert|rate_limit|127\.0\.0\.1/);
});

test("48 requests at once, of one better-auth, keep apart", async () => {
  const people = await Promise.all(Array.from({ length: 8 }, () => signIn()));
  const asked = people.flatMap((person) => Array.from({ length: 6 }, () => person));
  const seen = await Promise.all(
    asked.map(async ({ headers, user }) => {
      const init = { headers: { ...headers, "cf-connecting-ip": randomIp() } };
      const session = await (await request("/api/auth/get-session", init)).json<{ user: { id: string } }>();
      return session.user.id === user.id;
    }),
  );
  expect(seen).toEqual(asked.map(() => true));
});

test("expired sessions, proofs and attempts are swept, live ones kept", async () => {
  const ada = await signIn();
  const past = new Date(Date.now() - 1000);
  const old = await openSession(ada.user.id, { expiresAt: past });
  const key = `old-${randomEmail()}`;
  await withOwner(async (db) => {
    await db.insert(rateLimit).values({ key, count: 1, lastRequest: Date.now() - 2 * 86_400_000 });
    await db.insert(verification).values({ identifier: key, value: "x", expiresAt: past });
  });
  await identityModule.crons["17 3 * * *"](testRuntime());
  const left = await withOwner(async (db) => [
    await db.select({ id: session.id }).from(session).where(eq(session.userId, ada.user.id)),
    await db.select().from(rateLimit).where(eq(rateLimit.key, key)),
    await db.select().from(verification).where(eq(verification.identifier, key)),
  ]);
  expect(left).toEqual([[{ id: ada.sessionId }], [], []]);
  expect(old.id).not.toBe(ada.sessionId);
});
