import { eq, identity, session, user } from "@repo/db";
import { describe, expect, test } from "vitest";
import type { Module } from "../../../core/modules.ts";
import { type Actor, makeUser, openSession, signIn } from "../../../test/actors.ts";
import { apiFor, measure, procedures } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { withOwner } from "../../../test/owner.ts";
import { modules } from "../../registry.ts";
import { composeOthers } from "../others.ts";

/** A valid input of every procedure of the module. */
const inputs: Record<string, (actor: Actor) => unknown> = {
  "user.me": () => undefined,
  "user.update": () => ({ name: "New Name" }),
  "user.export": () => undefined,
  "user.delete": () => undefined,
  "user.sessions.list": () => undefined,
  "user.sessions.revoke": ({ sessionId }) => ({ sessionId }),
  "user.sessions.revokeOthers": () => undefined,
};
const paths = Object.keys(inputs);

const rowOf = (id: string) => withOwner((db) => db.select().from(user).where(eq(user.id, id)));
const sessionsOf = (userId: string) => withOwner((db) => db.select().from(session).where(eq(session.userId, userId)));

describe("every procedure", () => {
  test("of the module is covered here", () => {
    expect(paths.sort()).toEqual(
      Object.keys(procedures)
        .filter((path) => path.startsWith("user."))
        .sort(),
    );
  });

  test.each(paths)("%s is refused to a visitor", async (path) => {
    const ada = await signIn();
    await expectRefusal(measure({}, path, inputs[path]?.(ada)), "UNAUTHENTICATED");
  });

  test.each(paths)("%s takes exactly its budget of trips", async (path) => {
    const ada = await signIn();
    const { trips } = await measure(ada.headers, path, inputs[path]?.(ada));
    expect(trips).toBe(procedures[path]?._def.meta?.trips);
    expect(trips).toBe(path === "user.me" ? 1 : procedures[path]?._def.type === "query" ? 2 : 3);
  });

  test.each(paths)("%s leaves everybody else as they were", async (path) => {
    const ada = await signIn();
    const eve = await signIn();
    const before = [await rowOf(ada.user.id), await sessionsOf(ada.user.id)];
    await measure(eve.headers, path, inputs[path]?.(eve));
    expect([await rowOf(ada.user.id), await sessionsOf(ada.user.id)]).toEqual(before);
  });
});

describe("the account", () => {
  test("me shows the caller and nothing secret", async () => {
    const { user: ada, api } = await signIn({ name: "Ada" });
    const { createdAt, updatedAt, ...me } = await api.user.me();
    expect(createdAt).toEqual(ada.createdAt);
    expect(updatedAt).toEqual(ada.updatedAt);
    expect(me).toEqual({
      id: ada.id,
      name: "Ada",
      email: ada.email,
      emailVerified: true,
      image: null,
      isAnonymous: false,
      role: "user",
      impersonatedBy: null,
      membership: null,
    });
  });

  test("update sets name and image, nothing else, and moves updatedAt", async () => {
    const ada = await signIn();
    const image = "https://example.com/ada.png";
    const input = { name: "  Ada  ", image, role: "admin", emailVerified: false, email: "x@example.com", banned: true };
    expect(await ada.api.user.update(input)).toMatchObject({ name: "Ada", image, email: ada.user.email });
    const [row] = await rowOf(ada.user.id);
    expect(row).toMatchObject({
      name: "Ada",
      image,
      role: "user",
      emailVerified: true,
      email: ada.user.email,
      banned: false,
    });
    expect(row?.updatedAt.getTime()).toBeGreaterThan(ada.user.updatedAt.getTime());
    expect(await ada.api.user.update({ image: null })).toMatchObject({ name: "Ada", image: null });
  });

  test.each([
    ["name", { name: " " }],
    ["name", { name: "x".repeat(101) }],
    ["name", { name: "a\u0000b" }],
    ["image", { image: "javascript:alert(1)" }],
    ["image", { image: "data:text/html,x" }],
    ["", {}],
  ])("update refuses a bad %s: %j", async (field, input) => {
    const ada = await signIn();
    const refused = await expectRefusal(ada.api.user.update(input), "BAD_REQUEST");
    expect(refused.field ?? "").toBe(field);
  });

  test("export holds all that is kept, and no secret", async () => {
    const ada = await signIn();
    const values = { userId: ada.user.id, providerId: "credential", accountId: ada.user.id, password: "hash-of-ada" };
    await withOwner((db) => db.insert(identity).values({ ...values, accessToken: "token-of-ada" }));
    const [{ token } = { token: "" }] = await sessionsOf(ada.user.id);
    const data = await ada.api.user.export();
    expect(data.user).toMatchObject({ id: ada.user.id, email: ada.user.email });
    expect(data.sessions.map(({ id }) => id)).toEqual([ada.sessionId]);
    expect(data.identities).toMatchObject([{ providerId: "credential", accountId: ada.user.id }]);
    expect(JSON.stringify(data)).not.toContain(token);
    expect(JSON.stringify(data)).not.toMatch(/hash-of-ada|token-of-ada|password|token/);
  });

  test("export carries what other modules bring, in the same flight", async () => {
    const ada = await signIn();
    const part: Module = {
      routers: {},
      exportUser: async (tx, id) => ({ notes: await tx.select({ id: user.id }).from(user).where(eq(user.id, id)) }),
    };
    composeOthers([...modules, part]);
    try {
      expect(await ada.api.user.export()).toMatchObject({ notes: [{ id: ada.user.id }] });
    } finally {
      composeOthers(modules);
    }
  });

  test("delete removes the user and all that hangs on it", async () => {
    const ada = await signIn();
    const other = await openSession(ada.user.id);
    expect(await ada.api.user.delete()).toEqual({ id: ada.user.id });
    expect(await rowOf(ada.user.id)).toEqual([]);
    expect(await sessionsOf(ada.user.id)).toEqual([]);
    await expectRefusal(ada.api.user.me(), "UNAUTHENTICATED");
    await expectRefusal(apiFor({ authorization: `Bearer ${other.bearer}` }).user.me(), "UNAUTHENTICATED");
  });

  test("delete asks for a fresh sign-in, in person", async () => {
    const { id } = await makeUser();
    const staff = await makeUser({ role: "admin" });
    const stale = await openSession(id, { createdAt: new Date(Date.now() - 11 * 60_000) });
    const acting = await openSession(id, { impersonatedBy: staff.id });
    const deleteAs = (bearer: string) => apiFor({ authorization: `Bearer ${bearer}` }).user.delete();
    await expectRefusal(deleteAs(stale.bearer), "FORBIDDEN", "sign_in_again");
    await expectRefusal(deleteAs(acting.bearer), "FORBIDDEN", "impersonated");
    expect(await rowOf(id)).toHaveLength(1);
  });
});

describe("sessions", () => {
  test("list shows the live ones without their tokens, and which is this one", async () => {
    const ada = await signIn();
    const other = await openSession(ada.user.id, { userAgent: "Phone" });
    await openSession(ada.user.id, { expiresAt: new Date(Date.now() - 1000) });
    const listed = await ada.api.user.sessions.list();
    expect(listed.map(({ id, current }) => [id, current])).toEqual([
      [other.id, false],
      [ada.sessionId, true],
    ]);
    expect(JSON.stringify(listed)).not.toMatch(/token/);
  });

  test("a revoked session fails on its very next request", async () => {
    const ada = await signIn();
    const { id, bearer } = await openSession(ada.user.id);
    const there = apiFor({ authorization: `Bearer ${bearer}` });
    await there.user.me();
    await ada.api.user.sessions.revoke({ sessionId: id });
    await expectRefusal(there.user.me(), "UNAUTHENTICATED");
    await expectRefusal(ada.api.user.sessions.revoke({ sessionId: id }), "NOT_FOUND");
  });

  test("another user's session is NOT_FOUND and stays", async () => {
    const ada = await signIn();
    const eve = await signIn();
    await expectRefusal(eve.api.user.sessions.revoke({ sessionId: ada.sessionId }), "NOT_FOUND");
    await ada.api.user.me();
  });

  test("revokeOthers ends all but this one", async () => {
    const ada = await signIn();
    const others = [await openSession(ada.user.id), await openSession(ada.user.id)];
    expect(await ada.api.user.sessions.revokeOthers()).toEqual({ revoked: 2 });
    for (const { bearer } of others) {
      await expectRefusal(apiFor({ authorization: `Bearer ${bearer}` }).user.me(), "UNAUTHENTICATED");
    }
    await ada.api.user.me();
  });
});
