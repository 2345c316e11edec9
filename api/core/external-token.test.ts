import { eq, identity, user } from "@repo/db";
import { base64url, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { joinOrganization, makeUser, signIn, unique } from "../test/actors.ts";
import { apiFor } from "../test/call.ts";
import { testRuntime, withContext } from "../test/context.ts";
import { expectRefusal } from "../test/errors.ts";
import { get } from "../test/http.ts";
import { withOwner } from "../test/owner.ts";

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

let rsa: Keys;
let ec: Keys;
let next: Keys;
let published: { kid: string; alg: string; keys: Keys }[] = [];
let fetches = 0;
let reachable = true;

const issuer = "https://login.example.com/";
const other = "https://id.example.org";
const issuers = [
  { issuer, audience: "fairlead", jwksUrl: "https://login.example.com/jwks" },
  { issuer: other, audience: "fairlead", jwksUrl: "https://id.example.org/keys", algorithms: ["ES256"] },
];
const overrides = { EXTERNAL_ISSUERS: JSON.stringify(issuers) };

beforeAll(async () => {
  [rsa, next] = [await generateKeyPair("RS256", { extractable: true }), await generateKeyPair("RS256")];
  ec = await generateKeyPair("ES256");
  published = [
    { kid: "rsa-1", alg: "RS256", keys: rsa },
    { kid: "ec-1", alg: "ES256", keys: ec },
  ];
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    const request = new Request(input, init);
    if (!/\.example\.(com|org)$/.test(new URL(request.url).hostname)) return fetch(request);
    fetches += 1;
    if (!reachable) throw new TypeError("Network connection lost.");
    const keys = published.map(async (key) => ({
      ...(await exportJWK(key.keys.publicKey)),
      kid: key.kid,
      alg: key.alg,
    }));
    return Response.json({ keys: await Promise.all(keys) });
  });
});
afterAll(() => vi.unstubAllGlobals());
afterEach(() => {
  vi.useRealTimers();
  reachable = true;
});

interface Bend {
  kid?: string;
  alg?: string;
  key?: CryptoKey | Uint8Array;
  from?: string;
  to?: string;
  expires?: number;
}

/** A token as the issuer signs it, but for what is bent. */
function tokenOf(claims: JWTPayload, bend: Bend = {}): Promise<string> {
  const { kid = "rsa-1", alg = "RS256", key = rsa.privateKey, from = issuer, to = "fairlead", expires = 300 } = bend;
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ sub: `sub-${unique()}`, ...claims })
    .setProtectedHeader({ alg, kid })
    .setIssuer(from)
    .setAudience(to)
    .setIssuedAt(now)
    .setExpirationTime(now + expires)
    .sign(key);
}

const as = (token: string, more: Record<string, string> = {}) =>
  apiFor({ authorization: `Bearer ${token}`, ...more }, overrides);

const identitiesOf = (accountId: string) =>
  withOwner((db) => db.select().from(identity).where(eq(identity.accountId, accountId)));

test("the first token of a subject makes the user, later ones find it; the caller takes one trip", async () => {
  const claims = { sub: `sub-${unique()}`, name: "Ada", email: `Ada-${unique()}@example.com`, email_verified: true };
  const me = await as(await tokenOf(claims)).user.me();
  expect(me).toMatchObject({ name: "Ada", email: claims.email.toLowerCase(), emailVerified: true, role: "user" });
  expect(await identitiesOf(claims.sub)).toMatchObject([{ userId: me.id, providerId: issuer, password: null }]);
  const headers = { authorization: `Bearer ${await tokenOf({ ...claims, name: "Renamed" })}` };
  await withContext(
    headers,
    async ({ findCaller, trips }) => {
      expect(await findCaller()).toMatchObject({ via: "token", user: { id: me.id } });
      expect(trips.total).toBe(1);
    },
    testRuntime(overrides),
  );
});

test("ten first requests at once make one user", async () => {
  const token = await tokenOf({});
  const ids = await Promise.all(Array.from({ length: 10 }, async () => (await as(token).user.me()).id));
  expect(new Set(ids).size).toBe(1);
});

test("issuers keep their subjects apart", async () => {
  const sub = `sub-${unique()}`;
  const first = await as(await tokenOf({ sub })).user.me();
  const second = await as(
    await tokenOf({ sub }, { from: other, alg: "ES256", kid: "ec-1", key: ec.privateKey }),
  ).user.me();
  expect(second.id).not.toBe(first.id);
});

test("nobody gets into an existing account by its address", async () => {
  const { id, email } = await makeUser();
  const me = await as(await tokenOf({ email, email_verified: true })).user.me();
  expect(me.id).not.toBe(id);
  expect(me).toMatchObject({ emailVerified: false, email: expect.stringMatching(/@external\.invalid$/) });
  const unproved = await as(await tokenOf({ email: `${unique()}@example.com`, email_verified: false })).user.me();
  expect(unproved.email).toMatch(/@external\.invalid$/);
});

const bends: [string, () => Bend | Promise<Bend>][] = [
  ["another issuer", () => ({ from: "https://evil.example.com/" })],
  ["an issuer's address with another ending", () => ({ from: issuer.slice(0, -1) })],
  ["another audience", () => ({ to: "someone-else" })],
  ["an expiry long past", () => ({ expires: -60 })],
  ["an unknown key", () => ({ kid: "made-up" })],
  ["a stranger's signature", () => ({ key: next.privateKey })],
  ["an algorithm that its issuer does not use", () => ({ from: other })],
  [
    "HS256 with the public key",
    async () => ({ alg: "HS256", key: new TextEncoder().encode(await exportSPKI(rsa.publicKey)) }),
  ],
];

test.each(bends)("%s is 401", async (_, bend) => {
  const token = await tokenOf({}, await bend());
  await expectRefusal(as(token).user.me(), "UNAUTHENTICATED");
  const response = await get("/api/trpc/user.me", overrides, { authorization: `Bearer ${token}` });
  expect(response.status).toBe(401);
});

test("no signature, no subject, no expiry, not yet valid: 401", async () => {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => base64url.encode(JSON.stringify(value));
  const claims = { iss: issuer, aud: "fairlead", sub: "somebody", exp: now + 300 };
  const signed = (payload: JWTPayload) =>
    new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "rsa-1" }).sign(rsa.privateKey);
  const refused = [
    `${part({ alg: "none" })}.${part(claims)}.`,
    `${part({ alg: "none", kid: "rsa-1" })}.${part(claims)}.c2ln`,
    await signed({ ...claims, nbf: now + 60 }),
    await signed({ ...claims, sub: "" }),
    await signed({ ...claims, sub: "x".repeat(256) }),
    await signed({ iss: issuer, aud: "fairlead", sub: "somebody" }),
    await signed({ iss: issuer, aud: "fairlead", exp: now + 300 }),
  ];
  for (const token of refused) await expectRefusal(as(token).user.me(), "UNAUTHENTICATED");
  expect(await identitiesOf("somebody")).toEqual([]);
});

test("a token opens nothing where no issuer is configured, and a cookie beside it does not help", async () => {
  const token = await tokenOf({});
  await expectRefusal(apiFor({ authorization: `Bearer ${token}` }).user.me(), "UNAUTHENTICATED");
});

test("a banned user is 401", async () => {
  const token = await tokenOf({});
  const { id } = await as(token).user.me();
  await withOwner((db) => db.update(user).set({ banned: true }).where(eq(user.id, id)));
  await expectRefusal(as(token).user.me(), "UNAUTHENTICATED");
});

test("speaks for an organization of the user's, and for no other", async () => {
  const token = await tokenOf({});
  const { id } = await as(token).user.me();
  const row = await withOwner(async (db) => (await db.select().from(user).where(eq(user.id, id)))[0]);
  const host = await joinOrganization(await signIn(), "owner");
  const organization = { "x-organization": host.organization.id };
  await expectRefusal(as(token, organization).user.me(), "FORBIDDEN", "not_a_member");
  if (row) await joinOrganization({ ...host, user: row }, "viewer", host.organization);
  expect((await as(token, organization).user.me()).membership).toEqual({
    organizationId: host.organization.id,
    role: "viewer",
  });
});

test("asks for a session where one is needed", async () => {
  const api = as(await tokenOf({}));
  await expectRefusal(api.user.delete(), "FORBIDDEN", "no_session");
  await expectRefusal(api.user.sessions.revokeOthers(), "FORBIDDEN", "no_session");
});

test("keys are fetched once; made-up key ids do not turn into requests; a new key is found", async () => {
  await as(await tokenOf({})).user.me();
  vi.useFakeTimers({ toFake: ["Date"] });
  const before = fetches;
  for (let n = 0; n < 5; n++) {
    await as(await tokenOf({})).user.me();
    await expectRefusal(as(await tokenOf({}, { kid: `made-up-${n}` })).user.me(), "UNAUTHENTICATED");
  }
  expect(fetches).toBe(before);
  published.push({ kid: "rsa-2", alg: "RS256", keys: next });
  const rotated = { kid: "rsa-2", key: next.privateKey };
  vi.setSystemTime(Date.now() + 31_000);
  await as(await tokenOf({}, rotated)).user.me();
  expect(fetches).toBe(before + 1);
});

test("an issuer out of reach is 503, not 401", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + 700_000);
  reachable = false;
  await expectRefusal(as(await tokenOf({})).user.me(), "UNAVAILABLE");
});
