import { eq, identity, twoFactor, user } from "@repo/db";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { unique } from "../../../test/actors.ts";
import { withOwner } from "../../../test/owner.ts";
import { browser, isSignedIn, password, randomEmail, registered, userOf } from "./browser.ts";
import { consent, idToken, openProviders, type Profile, settings } from "./provider.ts";

beforeAll(openProviders);
afterAll(() => vi.unstubAllGlobals());

type Provider = "google" | "github";
type Browser = ReturnType<typeof browser>;
const providers: Provider[] = ["google", "github"];
const app = "http://127.0.0.1:8787/app";

const visitor = () => browser(undefined, settings);
const someone = (values: Partial<Profile> = {}): Profile => ({
  sub: String(crypto.getRandomValues(new Uint32Array(1))[0]),
  email: randomEmail(),
  verified: true,
  name: "Ada",
  ...values,
});

async function begin({ ask }: Browser, provider: Provider, more: object = {}) {
  const { data } = await ask<{ url: string }>("/sign-in/social", { provider, callbackURL: app, ...more });
  return data.url;
}

/** Comes back from the provider; answers where the browser is sent. */
async function comeBack({ send }: Browser, provider: Provider, query: URLSearchParams): Promise<string> {
  const response = await send(`http://127.0.0.1:8787/api/auth/callback/${provider}?${query}`);
  return response.headers.get("location") ?? "";
}

async function enter(there: Browser, provider: Provider, profile: Profile): Promise<string> {
  return comeBack(there, provider, consent(await begin(there, provider), profile));
}

const identitiesOf = (userId: string) =>
  withOwner((db) => db.select().from(identity).where(eq(identity.userId, userId)));

test.each(providers)("%s makes an account the first time and finds it again", async (provider) => {
  const profile = someone();
  const there = visitor();
  expect(await enter(there, provider, profile)).toBe(app);
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(true);
  const row = await userOf(profile.email);
  expect(row).toMatchObject({ name: "Ada", emailVerified: true, role: "user" });
  const again = visitor();
  expect(await enter(again, provider, { ...profile, email: randomEmail() })).toBe(app);
  expect((await again.auth.getSession()).data?.user.id).toBe(row?.id);
});

test.each(providers)("%s is off without its settings", async (provider) => {
  expect((await browser().ask("/sign-in/social", { provider, callbackURL: app })).status).toBe(404);
});

test.each(providers)("%s: PKCE and state; a state works once, and only in the browser that began", async (provider) => {
  const there = visitor();
  const url = await begin(there, provider);
  const asked = new URL(url).searchParams;
  expect(asked.get("code_challenge_method")).toBe("S256");
  expect(asked.get("redirect_uri")).toBe(`http://127.0.0.1:8787/api/auth/callback/${provider}`);
  const eve = visitor();
  expect(await comeBack(eve, provider, consent(url, someone()))).toContain("error=");
  expect(await isSignedIn({ cookie: eve.cookie() })).toBe(false);
  const made = consent(url, someone());
  const bent = new URLSearchParams({ code: made.get("code") ?? "", state: "made-up" });
  expect(await comeBack(there, provider, bent)).toContain("error=");
  const fresh = visitor();
  const query = consent(await begin(fresh, provider), someone());
  expect(await comeBack(fresh, provider, query)).toBe(app);
  const jar = visitor();
  for (const [name, value] of fresh.jar) if (!name.includes("session")) jar.jar.set(name, value);
  expect(await comeBack(jar, provider, query)).toContain("error=");
  expect(await isSignedIn({ cookie: jar.cookie() })).toBe(false);
});

test("a code with another browser's verifier is worth nothing", async () => {
  const [ada, eve] = [visitor(), visitor()];
  const stolen = consent(await begin(ada, "google"), someone());
  const own = new URL(await begin(eve, "google")).searchParams.get("state") ?? "";
  const query = new URLSearchParams({ code: stolen.get("code") ?? "", state: own });
  expect(await comeBack(eve, "google", query)).toContain("error=");
  expect(await isSignedIn({ cookie: eve.cookie() })).toBe(false);
});

test.each(providers)("%s links to an account only with an address that both sides have verified", async (provider) => {
  const ada = await registered();
  const unproved = visitor();
  expect(await enter(unproved, provider, someone({ email: ada.email, verified: false }))).toContain("error=");
  expect(await isSignedIn({ cookie: unproved.cookie() })).toBe(false);
  const squatter = await registered();
  await withOwner((db) => db.update(user).set({ emailVerified: false }).where(eq(user.id, squatter.id)));
  const owner = visitor();
  expect(await enter(owner, provider, someone({ email: squatter.email }))).toContain("error=");
  expect(await isSignedIn({ cookie: owner.cookie() })).toBe(false);
  const proved = visitor();
  expect(await enter(proved, provider, someone({ email: ada.email }))).toBe(app);
  expect((await proved.auth.getSession()).data?.user.id).toBe(ada.id);
  expect((await identitiesOf(ada.id)).map(({ providerId }) => providerId).sort()).toEqual(
    ["credential", provider].sort(),
  );
  expect((await identitiesOf(squatter.id)).map(({ providerId }) => providerId)).toEqual(["credential"]);
});

test.each(providers)("%s makes no account for an address that it has not verified", async (provider) => {
  const eve = visitor();
  const profile = someone({ verified: false });
  expect(await enter(eve, provider, profile)).toContain("error=");
  expect(await isSignedIn({ cookie: eve.cookie() })).toBe(false);
  expect(await userOf(profile.email)).toBeUndefined();
});

test("nor does an id token", async () => {
  const profile = someone({ verified: false });
  const eve = visitor();
  const { status } = await eve.ask("/sign-in/social", {
    provider: "google",
    idToken: { token: await idToken(profile) },
  });
  expect(status).toBeGreaterThanOrEqual(400);
  expect(await isSignedIn({ cookie: eve.cookie() })).toBe(false);
  expect(await userOf(profile.email)).toBeUndefined();
});

test("the provider's tokens are kept encrypted, and a strange name or picture is tidied", async () => {
  const there = visitor();
  const profile = someone({ name: `Ada\u0007${"x".repeat(200)}`, picture: "javascript:alert(1)" });
  await enter(there, "google", profile);
  const row = await userOf(profile.email);
  expect(row).toMatchObject({ image: null });
  expect(row?.name).toHaveLength(100);
  const [kept] = await identitiesOf(row?.id ?? "");
  expect(kept?.accessToken).toBeTruthy();
  expect(kept?.accessToken).not.toMatch(/^[0-9a-f-]{36}$/);
  expect(kept?.idToken ?? "").not.toMatch(/^eyJ/);
});

test("someone with a second factor is asked for it", async () => {
  const ada = await registered();
  await withOwner(async (db) => {
    await db.update(user).set({ twoFactorEnabled: true }).where(eq(user.id, ada.id));
    await db.insert(twoFactor).values({ userId: ada.id, secret: "x", backupCodes: "x" });
  });
  const there = visitor();
  expect(await enter(there, "google", someone({ email: ada.email }))).toBe(`${app}?twoFactor=required`);
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(false);
  expect((await there.auth.getSession()).data).toBeNull();
  const direct = visitor();
  const token = await idToken(someone({ email: ada.email, sub: `sub-${unique()}` }));
  const { data } = await direct.ask("/sign-in/social", { provider: "google", idToken: { token } });
  expect(data).toMatchObject({ twoFactorRedirect: true });
  expect(await isSignedIn({ cookie: direct.cookie() })).toBe(false);
});

test("a banned user gets no session", async () => {
  const profile = someone();
  await enter(visitor(), "github", profile);
  await withOwner((db) => db.update(user).set({ banned: true }).where(eq(user.email, profile.email)));
  const there = visitor();
  await enter(there, "github", profile);
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(false);
});

test("a guest who signs in becomes the user", async () => {
  const there = visitor();
  const { data } = await there.auth.signIn.anonymous();
  expect(await enter(there, "google", someone())).toBe(app);
  const rows = await withOwner((db) =>
    db
      .select()
      .from(user)
      .where(eq(user.id, data?.user.id ?? "")),
  );
  expect(rows).toEqual([]);
  expect((await there.auth.getSession()).data?.user.isAnonymous).toBe(false);
});

test("an id token opens a session only when Google signed it, for us, with the nonce, and lately", async () => {
  const profile = someone();
  const attempt = async (token: string, nonce?: string) => {
    const there = visitor();
    const { status } = await there.ask("/sign-in/social", { provider: "google", idToken: { token, nonce } });
    return [status, await isSignedIn({ cookie: there.cookie() })];
  };
  const refused = [401, false];
  expect(await attempt(await idToken(profile, { nonce: "n-1" }), "n-2")).toEqual(refused);
  expect(await attempt(await idToken(profile, { aud: "another-client" }))).toEqual(refused);
  expect(await attempt(await idToken(profile, { iss: "https://evil.example" }))).toEqual(refused);
  expect(await attempt(await idToken(profile, {}, true))).toEqual(refused);
  expect(await attempt(await idToken(profile, { nonce: "n-1" }), "n-1")).toEqual([200, true]);
});

const elsewhere = [
  "https://evil.example/x",
  "//evil.example",
  "/\\evil.example",
  "/..//evil.example",
  "javascript:alert(1)",
];

test.each(elsewhere)("never sends anybody to %s", async (target) => {
  for (const name of ["callbackURL", "errorCallbackURL", "newUserCallbackURL"]) {
    const { status } = await visitor().ask("/sign-in/social", { provider: "google", [name]: target });
    expect([name, status]).toEqual([name, 403]);
  }
});

test("linking more than one's own address is refused", async () => {
  const ada = await registered();
  const there = visitor();
  await there.auth.signIn.email({ email: ada.email, password });
  const { data } = await there.ask<{ url: string }>("/link-social", { provider: "google", callbackURL: app });
  const other = someone();
  expect(await comeBack(there, "google", consent(data.url, other))).toContain("error=");
  expect((await identitiesOf(ada.id)).map(({ providerId }) => providerId)).toEqual(["credential"]);
});
