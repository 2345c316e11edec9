import { eq, passkey, session, user } from "@repo/db";
import { expect, test } from "vitest";
import { signIn } from "../../../test/actors.ts";
import { testRuntime } from "../../../test/context.ts";
import { withOwner } from "../../../test/owner.ts";
import { authenticator, type Bend } from "./authenticator.ts";
import { browser, isSignedIn, password, registered } from "./browser.ts";

const origin = testRuntime().env.APP_URL;
type Options = { challenge: string; rpId: string; rp: { id: string } };
type Device = Awaited<ReturnType<typeof authenticator>>;
type Browser = ReturnType<typeof browser>;

const rowsOf = (userId: string) => withOwner((db) => db.select().from(passkey).where(eq(passkey.userId, userId)));

async function register({ ask }: Pick<Browser, "ask">, device: Device, bend?: Bend) {
  const { data } = await ask<Options>("/passkey/generate-register-options");
  return ask<{ code?: string }>("/passkey/verify-registration", {
    response: await device.create(data, bend),
    name: "Phone",
  });
}

async function enter({ ask }: Pick<Browser, "ask">, device: Device, bend?: Bend) {
  const { data } = await ask<Options>("/passkey/generate-authenticate-options");
  return ask<{ code?: string }>("/passkey/verify-authentication", { response: await device.get(data, bend) });
}

/** Somebody with a passkey. */
async function holder() {
  const ada = await registered();
  await ada.auth.signIn.email({ email: ada.email, password });
  const device = await authenticator(origin);
  expect((await register(ada, device)).status).toBe(200);
  return { ...ada, device };
}

test("a passkey is added by who is signed in and opens a session anywhere", async () => {
  const ada = await holder();
  expect(await rowsOf(ada.id)).toMatchObject([{ name: "Phone", id: expect.stringMatching(/^psk_/), backedUp: true }]);
  const there = browser();
  expect((await enter(there, ada.device)).status).toBe(200);
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(true);
  expect((await there.auth.getSession()).data?.user.email).toBe(ada.email);
});

test("nobody adds one without a session", async () => {
  const { ask } = browser();
  expect((await ask("/passkey/generate-register-options")).status).toBe(401);
});

/** As a thief has it who found the session 11 minutes after the sign-in. */
const grow = (userId: string) =>
  withOwner((db) =>
    db
      .update(session)
      .set({ createdAt: new Date(Date.now() - 11 * 60_000) })
      .where(eq(session.userId, userId)),
  );

test("adding or deleting one asks for a sign-in of the last 10 minutes", async () => {
  const ada = await holder();
  const { data: options } = await ada.ask<Options>("/passkey/generate-register-options");
  await grow(ada.id);
  const [row] = await rowsOf(ada.id);
  const device = await authenticator(origin);
  const refused = { status: 403, data: { code: "SESSION_NOT_FRESH" } };
  expect(await ada.ask("/passkey/generate-register-options")).toMatchObject(refused);
  const response = await device.create(options);
  expect(await ada.ask("/passkey/verify-registration", { response })).toMatchObject(refused);
  expect(await ada.ask("/passkey/delete-passkey", { id: row?.id })).toMatchObject(refused);
  expect(await rowsOf(ada.id)).toEqual([row]);
  expect((await enter(ada, ada.device)).status).toBe(200);
  expect((await ada.ask("/passkey/delete-passkey", { id: row?.id })).status).toBe(200);
  expect(await rowsOf(ada.id)).toEqual([]);
});

test("adding one is no sign-in", async () => {
  const ada = await registered();
  await ada.auth.signIn.email({ email: ada.email, password });
  const device = await authenticator(origin);
  const { data } = await ada.ask<Options>("/passkey/generate-register-options");
  const response = await device.create(data);
  expect((await ada.ask("/passkey/verify-registration", { response, createSession: true })).status).toBe(400);
  expect(await withOwner((db) => db.select().from(session).where(eq(session.userId, ada.id)))).toHaveLength(1);
});

const bends: [string, Bend][] = [
  ["another site's", { origin: "https://evil.example" }],
  ["another domain's", { rpId: "evil.example" }],
  ["an older challenge's", { challenge: "b2xk" }],
  ["a device's that did not verify its user", { verified: false }],
];

test.each(bends)("%s answer adds nothing and opens nothing", async (_, bend) => {
  const ada = await registered();
  await ada.auth.signIn.email({ email: ada.email, password });
  const refused = await register(ada, await authenticator(origin), bend);
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(await rowsOf(ada.id)).toEqual([]);
  const { device } = await holder();
  const there = browser();
  expect((await enter(there, device, bend)).status).toBeGreaterThanOrEqual(400);
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(false);
});

test("an answer works once", async () => {
  const { device } = await holder();
  const there = browser();
  const { data } = await there.ask<Options>("/passkey/generate-authenticate-options");
  const jar = new Map(there.jar);
  const response = await device.get(data);
  expect((await there.ask("/passkey/verify-authentication", { response })).status).toBe(200);
  const again = browser();
  for (const [name, value] of jar) again.jar.set(name, value);
  expect((await again.ask("/passkey/verify-authentication", { response })).status).toBe(400);
});

test("another device's answer for a known passkey is refused", async () => {
  const { device } = await holder();
  const eve = await authenticator(origin);
  const there = browser();
  const { data } = await there.ask<Options>("/passkey/generate-authenticate-options");
  const real = await device.get(data);
  const forged = { ...(await eve.get(data)), id: real.id, rawId: real.rawId };
  expect((await there.ask("/passkey/verify-authentication", { response: forged })).status).toBeGreaterThanOrEqual(400);
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(false);
});

test("a banned user's passkey opens nothing", async () => {
  const { device, id } = await holder();
  await withOwner((db) => db.update(user).set({ banned: true }).where(eq(user.id, id)));
  const there = browser();
  expect(await enter(there, device)).toMatchObject({ status: 403, data: { code: "BANNED_USER" } });
  expect(await isSignedIn({ cookie: there.cookie() })).toBe(false);
});

test("nobody changes or deletes another's", async () => {
  const { id } = await holder();
  const [row] = await rowsOf(id);
  const eve = await registered();
  await eve.auth.signIn.email({ email: eve.email, password });
  for (const [path, body] of Object.entries({ "update-passkey": { name: "Mine" }, "delete-passkey": {} })) {
    expect((await eve.ask(`/passkey/${path}`, { id: row?.id, ...body })).status).toBe(401);
  }
  expect(await rowsOf(id)).toEqual([row]);
});

test("the export names one's passkeys, staff see them, neither with their keys", async () => {
  const ada = await signIn();
  const values = { name: "Phone", publicKey: "key-of-ada", userId: ada.user.id, counter: 0, deviceType: "multiDevice" };
  await withOwner((db) => db.insert(passkey).values({ ...values, credentialID: ada.user.id, backedUp: true }));
  const staff = await signIn({ role: "support" });
  const seen = [await ada.api.user.export(), await staff.api.admin.users.get({ userId: ada.user.id })];
  for (const { passkeys } of seen) expect(passkeys).toMatchObject([{ name: "Phone", backedUp: true }]);
  expect(JSON.stringify(seen)).not.toContain("key-of-ada");
});
