import { eq, type PlatformRole, session, user } from "@repo/db";
import { describe, expect, test } from "vitest";
import { type Actor, makeUser, openSession, signIn, unique } from "../../../test/actors.ts";
import { auditOf } from "../../../test/audit.ts";
import { apiFor, measure, procedures } from "../../../test/call.ts";
import { withContext } from "../../../test/context.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { clientFor } from "../../../test/http.ts";
import { withOwner } from "../../../test/owner.ts";
import { browser, isSignedIn, password, registered, request } from "./browser.ts";

/** A valid input of every procedure of the staff's. */
const inputs: Record<string, (target: string) => unknown> = {
  "admin.users.list": () => ({}),
  "admin.users.get": (userId) => ({ userId }),
  "admin.users.ban": (userId) => ({ userId, reason: "spam" }),
  "admin.users.unban": (userId) => ({ userId }),
  "admin.users.impersonate": (userId) => ({ userId, reason: "ticket 7" }),
};
const paths = Object.keys(inputs);
const acts = paths.slice(2);

const rowOf = (id: string) => withOwner((db) => db.select().from(user).where(eq(user.id, id)));
const sessionsOf = (userId: string) => withOwner((db) => db.select().from(session).where(eq(session.userId, userId)));
const setRole = (id: string, role: PlatformRole) =>
  withOwner((db) => db.update(user).set({ role }).where(eq(user.id, id)));
const apiOf = (token: string) => apiFor({ authorization: `Bearer ${token}` });

async function acting(admin: Actor) {
  const target = await makeUser();
  const answer = await admin.api.admin.users.impersonate({ userId: target.id, reason: "ticket 7" });
  return { target, ...answer, api: apiOf(answer.token) };
}

// Who may call them, and stopImpersonating, at all: see isolation.ts.
describe("every procedure", () => {
  test.each(paths)("%s is refused to visitors and users, and changes nothing", async (path) => {
    const { id } = await makeUser();
    const before = [await rowOf(id), await sessionsOf(id)];
    await expectRefusal(measure({}, path, inputs[path]?.(id)), "UNAUTHENTICATED");
    await expectRefusal(measure((await signIn()).headers, path, inputs[path]?.(id)), "FORBIDDEN");
    expect([await rowOf(id), await sessionsOf(id)]).toEqual(before);
  });

  test.each(acts)("%s is refused to support, and to admins on themselves", async (path) => {
    const { id } = await makeUser();
    const support = await signIn({ role: "support" });
    await expectRefusal(measure(support.headers, path, inputs[path]?.(id)), "FORBIDDEN", "role_too_low");
    const admin = await signIn({ role: "admin" });
    await expectRefusal(measure(admin.headers, path, inputs[path]?.(admin.user.id)), "FORBIDDEN", "yourself");
  });

  test.each(paths.slice(1))("%s of nobody is NOT_FOUND", async (path) => {
    const admin = await signIn({ role: "admin" });
    const nobody = "user_00000000000000000000000000";
    await expectRefusal(measure(admin.headers, path, inputs[path]?.(nobody)), "NOT_FOUND");
  });

  test.each(paths)("%s takes exactly its budget of trips", async (path) => {
    const admin = await signIn({ role: "admin" });
    const { trips } = await measure(admin.headers, path, inputs[path]?.((await makeUser()).id));
    expect(trips).toBe(procedures[path]?._def.meta?.trips);
  });
});

describe("looking", () => {
  test("support pages through users, newest first, and finds them by id and by how name or address begin", async () => {
    const { api } = await signIn({ role: "support" });
    const tag = `zed${unique()}`;
    const made: string[] = [];
    for (const n of [1, 2, 3]) made.unshift((await makeUser({ name: `${tag.toUpperCase()} ${n}` })).id);
    const ids = (page: { items: { id: string }[] }) => page.items.map(({ id }) => id);
    const first = await api.admin.users.list({ search: tag, limit: 2 });
    expect(ids(first)).toEqual(made.slice(0, 2));
    const { nextCursor } = first;
    const second = await api.admin.users.list({ search: tag, limit: 2, cursor: nextCursor ?? "" });
    expect([ids(second), second.nextCursor]).toEqual([made.slice(2), null]);
    const { email, id } = await makeUser({ email: `${tag}@example.com` });
    expect(ids(await api.admin.users.list({ search: email.toUpperCase() }))).toEqual([id]);
    expect(ids(await api.admin.users.list({ search: id }))).toEqual([id]);
    for (const none of ["%", "_", "\\", `${tag}%`])
      expect(ids(await api.admin.users.list({ search: none }))).toEqual([]);
  });

  test("shows ban, sessions and ways in, and no secret", async () => {
    const { api } = await signIn({ role: "support" });
    const ada = await registered();
    await ada.auth.signIn.email({ email: ada.email, password });
    const [row] = await sessionsOf(ada.id);
    const seen = await api.admin.users.get({ userId: ada.id });
    expect(seen).toMatchObject({ id: ada.id, email: ada.email, role: "user", banned: false });
    expect(seen.sessions.map(({ id }) => id)).toEqual([row?.id]);
    expect(seen.identities).toMatchObject([{ providerId: "credential" }]);
    expect(JSON.stringify(seen)).not.toMatch(/token|scrypt|publicKey/);
    expect(JSON.stringify(seen)).not.toContain(row?.token);
  });
});

describe("a ban", () => {
  test("ends every session at once, on every way in, until it is lifted", async () => {
    const admin = await signIn({ role: "admin" });
    const ada = await registered();
    await ada.auth.signIn.email({ email: ada.email, password });
    const { bearer } = await openSession(ada.id);
    expect(await isSignedIn({ cookie: ada.cookie() })).toBe(true);
    const answer = await admin.api.admin.users.ban({ userId: ada.id, reason: "spam" });
    expect(answer).toMatchObject({ banned: true, banReason: "spam", banExpires: null });
    expect(await sessionsOf(ada.id)).toEqual([]);
    const waysIn: Record<string, string>[] = [{ cookie: ada.cookie() }, { authorization: `Bearer ${bearer}` }];
    for (const headers of waysIn) {
      expect(await isSignedIn(headers)).toBe(false);
      expect(await (await request("/api/auth/get-session", { headers })).json()).toBeNull();
    }
    expect((await ada.auth.signIn.email({ email: ada.email, password })).error?.code).toBe("BANNED_USER");
    await admin.api.admin.users.unban({ userId: ada.id });
    expect((await ada.auth.signIn.email({ email: ada.email, password })).error).toBeNull();
    expect((await auditOf(ada.id)).map(({ action, actorId, after }) => [action, actorId, after])).toEqual([
      ["user.ban", admin.user.id, { banned: true, banReason: "spam" }],
      ["user.unban", admin.user.id, { banned: false, banReason: null }],
    ]);
  });

  test("reaches a session that slipped in beside it, in sign-in flows too", async () => {
    const ada = await signIn();
    await withOwner((db) => db.update(user).set({ banned: true }).where(eq(user.id, ada.user.id)));
    expect(await sessionsOf(ada.user.id)).toHaveLength(1);
    await expectRefusal(ada.api.user.me(), "UNAUTHENTICATED");
    expect(await (await request("/api/auth/get-session", { headers: ada.headers })).json()).toBeNull();
    const change = await request("/api/auth/update-user", {
      method: "POST",
      headers: { ...ada.headers, "content-type": "application/json" },
      body: JSON.stringify({ name: "Back again" }),
    });
    expect(change.status).toBe(401);
  });

  test("with an end is over by itself", async () => {
    const admin = await signIn({ role: "admin" });
    const ada = await signIn();
    const soon = new Date(Date.now() + 60_000);
    await admin.api.admin.users.ban({ userId: ada.user.id, reason: "cool down", until: soon });
    const { bearer } = await openSession(ada.user.id);
    await expectRefusal(apiOf(bearer).user.me(), "UNAUTHENTICATED");
    const past = new Date(Date.now() - 1000);
    await withOwner((db) => db.update(user).set({ banExpires: past }).where(eq(user.id, ada.user.id)));
    await apiOf(bearer).user.me();
    const late = { userId: ada.user.id, reason: "too late", until: past };
    await expectRefusal(admin.api.admin.users.ban(late), "BAD_REQUEST");
  });
});

test("frontends give a ban its end", async () => {
  const { client } = clientFor((await signIn({ role: "admin" })).headers);
  const { id: userId } = await makeUser();
  const until = new Date(Date.now() + 60_000);
  await client.admin.users.ban.mutate({ userId, reason: "cool down", until });
  expect(await rowOf(userId)).toMatchObject([{ banned: true, banExpires: until }]);
});

test("two admins who ban each other at once: one stays", async () => {
  const [ada, eve] = [await signIn({ role: "admin" }), await signIn({ role: "admin" })];
  const answers = await Promise.allSettled([
    ada.api.admin.users.ban({ userId: eve.user.id, reason: "first" }),
    eve.api.admin.users.ban({ userId: ada.user.id, reason: "second" }),
  ]);
  expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const rows = [...(await rowOf(ada.user.id)), ...(await rowOf(eve.user.id))];
  expect(rows.filter(({ banned }) => banned)).toHaveLength(1);
});

describe("acting as another user", () => {
  test("lasts an hour, is marked and written down, and ends when stopped", async () => {
    const admin = await signIn({ role: "admin" });
    const { target, api, sessionId, expiresAt } = await acting(admin);
    expect(await api.user.me()).toMatchObject({ id: target.id, impersonatedBy: admin.user.id });
    expect(expiresAt.getTime() - Date.now()).toBeLessThanOrEqual(3_600_000);
    expect(await sessionsOf(target.id)).toMatchObject([{ id: sessionId, impersonatedBy: admin.user.id, expiresAt }]);
    await api.user.update({ name: "Helped" });
    expect(await admin.api.admin.users.stopImpersonating({ sessionId })).toEqual({ id: sessionId });
    await expectRefusal(api.user.me(), "UNAUTHENTICATED");
    expect(
      (await auditOf(target.id))
        .slice(0, 3)
        .map(({ action, actorId, impersonatorId }) => [action, actorId, impersonatorId]),
    ).toEqual([
      ["user.impersonate", admin.user.id, null],
      ["user.update", target.id, admin.user.id],
      ["user.stopImpersonating", admin.user.id, null],
    ]);
    await expectRefusal(admin.api.admin.users.stopImpersonating({ sessionId }), "NOT_FOUND");
    const own = { sessionId: admin.sessionId };
    await expectRefusal(admin.api.admin.users.stopImpersonating(own), "NOT_FOUND");
    const again = await admin.api.admin.users.impersonate({ userId: target.id, reason: "ticket 8" });
    await apiOf(again.token).user.sessions.revoke({ sessionId: again.sessionId });
    await expectRefusal(apiOf(again.token).user.me(), "UNAUTHENTICATED");
  });

  test("keeps its token out of the audit log, and the row's token opens nothing unsigned", async () => {
    const admin = await signIn({ role: "admin" });
    const { target, token } = await acting(admin);
    const [row] = await sessionsOf(target.id);
    expect(decodeURIComponent(token).startsWith(`${row?.token}.`)).toBe(true);
    expect(JSON.stringify(await auditOf(target.id))).not.toContain(row?.token);
    await expectRefusal(apiOf(row?.token ?? "").user.me(), "UNAUTHENTICATED");
  });

  test.each(["support", "admin"] as const)("is refused for %s, and ends when the user becomes that", async (role) => {
    const admin = await signIn({ role: "admin" });
    const staff = await makeUser({ role });
    const attempt = admin.api.admin.users.impersonate({ userId: staff.id, reason: "step up" });
    await expectRefusal(attempt, "FORBIDDEN", "staff");
    const { target, api } = await acting(admin);
    await api.user.me();
    await setRole(target.id, role);
    await expectRefusal(api.user.me(), "UNAUTHENTICATED");
  });

  test("ends when its admin loses the role or is banned", async () => {
    const admin = await signIn({ role: "admin" });
    const { api } = await acting(admin);
    await setRole(admin.user.id, "support");
    await expectRefusal(api.user.me(), "UNAUTHENTICATED");
    await setRole(admin.user.id, "admin");
    await api.user.me();
    const other = await signIn({ role: "admin" });
    await other.api.admin.users.ban({ userId: admin.user.id, reason: "rogue" });
    await expectRefusal(api.user.me(), "UNAUTHENTICATED");
    await other.api.admin.users.unban({ userId: admin.user.id });
    await expectRefusal(api.user.me(), "UNAUTHENTICATED");
  });

  test("is refused for a banned user", async () => {
    const admin = await signIn({ role: "admin" });
    const { id } = await makeUser({ banned: true });
    await expectRefusal(admin.api.admin.users.impersonate({ userId: id, reason: "look" }), "CONFLICT", "banned");
  });

  test("opens neither staff procedures nor any sign-in flow, deletes nobody and exports nothing", async () => {
    const admin = await signIn({ role: "admin" });
    const { target, token, api, expiresAt } = await acting(admin);
    await expectRefusal(api.admin.users.list({}), "FORBIDDEN");
    await expectRefusal(api.user.delete(), "FORBIDDEN", "impersonated");
    await expectRefusal(api.user.export(), "FORBIDDEN", "impersonated");
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    expect(await (await request("/api/auth/get-session", { headers })).json()).toBeNull();
    const flows = { "change-password": { currentPassword: password, newPassword: "another horse battery" } };
    for (const [path, body] of Object.entries({ ...flows, "update-user": { name: "x" }, "revoke-sessions": {} })) {
      const init = { method: "POST", headers, body: JSON.stringify(body) };
      expect([path, (await request(`/api/auth/${path}`, init)).status]).toEqual([path, 401]);
    }
    expect(await sessionsOf(target.id)).toMatchObject([{ expiresAt }]);
  });

  test("is held to its bounds by the database", async () => {
    const { id } = await makeUser();
    const staff = await makeUser({ role: "admin" });
    const long = openSession(id, { impersonatedBy: staff.id, expiresAt: new Date(Date.now() + 7_200_000) });
    await expect(long).rejects.toThrow();
    const values = { token: unique(), userId: id, expiresAt: new Date(Date.now() + 1000), impersonatedBy: staff.id };
    const asFlow = withContext({}, async ({ dbDirect }) => void (await dbDirect.insert(session).values(values)));
    await expect(asFlow).rejects.toThrow();
    const { bearer } = await openSession(id, { impersonatedBy: staff.id });
    await apiOf(bearer).user.me();
    expect(
      (await browser().send("/api/auth/list-sessions", { headers: { authorization: `Bearer ${bearer}` } })).status,
    ).toBe(401);
  });
});
