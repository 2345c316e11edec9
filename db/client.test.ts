import { randomUUID } from "node:crypto";
import { eq, type NewUser, sql, user } from "@repo/db";
import { connect, type RlsRole } from "@repo/db/client";
import { afterAll, describe, expect, inject, test } from "vitest";

// The owner bypasses row-level security, app_direct does not; both may speak as a user.
const clients = { owner: connect(inject("owner")), direct: connect(inject("direct")) };
const { owner } = clients;

afterAll(() => Promise.all(Object.values(clients).map(({ close }) => close())));

async function makeUser(values: Partial<NewUser> = {}) {
  const email = `${randomUUID()}@example.com`;
  const [row] = await owner.db
    .insert(user)
    .values({ name: "Somebody", email, ...values })
    .returning();
  if (!row) throw new Error("no user was made");
  return row;
}

const own = { id: user.id, email: user.email };

describe.each(["owner", "direct"] as const)("rlsDb through %s", (name) => {
  const { rlsDb, db } = clients[name];
  const find = (as: string, role: RlsRole, id: string) =>
    rlsDb.rls(as, role, (tx) => tx.select(own).from(user).where(eq(user.id, id)));

  test("a user sees the own row and no other's; support and admin see any", async () => {
    const [one, other] = [await makeUser(), await makeUser()];
    expect(await find(one.id, "user", one.id)).toEqual([{ id: one.id, email: one.email }]);
    expect(await find(other.id, "user", one.id)).toEqual([]);
    expect(await find(other.id, "support", one.id)).toHaveLength(1);
    expect(await find(other.id, "admin", one.id)).toHaveLength(1);
  });

  test("an admin writes another's row, support does not", async () => {
    const { id } = await makeUser();
    const ban = (role: RlsRole) =>
      rlsDb.rls("user_staff", role, (tx) => tx.update(user).set({ banned: true }).where(eq(user.id, id)));
    await expect(ban("support")).rejects.toThrow();
    await ban("admin");
    expect(await owner.db.select({ banned: user.banned }).from(user).where(eq(user.id, id))).toEqual([
      { banned: true },
    ]);
  });

  test("an unknown role is refused before any SQL", async () => {
    const run = () => rlsDb.rls("user_x", "authenticated" as RlsRole, () => Promise.reject(new Error("was run")));
    await expect(run()).rejects.toThrow("no such role: authenticated");
  });

  test("a throw rolls back, nested transactions by themselves", async () => {
    const { id } = await makeUser({ name: "Before" });
    const rename = rlsDb.rls(id, "user", async (tx) => {
      await tx.update(user).set({ name: "After" }).where(eq(user.id, id));
      throw new Error("changed my mind");
    });
    await expect(rename).rejects.toThrow("changed my mind");
    await rlsDb.rls(id, "user", async (tx) => {
      await tx.transaction((nested) => nested.update(user).set({ name: "Nested" }).where(eq(user.id, id)));
      const failing = tx.transaction(async (nested) => {
        await nested.update(user).set({ name: "Undone" }).where(eq(user.id, id));
        throw new Error("this part only");
      });
      await expect(failing).rejects.toThrow("this part only");
    });
    const rows = await owner.db.select({ name: user.name }).from(user).where(eq(user.id, id));
    expect(rows).toEqual([{ name: "Nested" }]);
  });

  test("neither role nor claims outlive the transaction", async () => {
    const { id } = await makeUser();
    await find(id, "user", id);
    const [after] = await db.execute(
      sql`select current_user as who, session_user as login, nullif(current_setting('request.jwt.claims', true), '') as claims`,
    );
    expect(after).toMatchObject({ claims: null });
    expect(after?.who).toBe(after?.login);
  });

  test("a user's id is data, whatever it looks like", async () => {
    expect(await find(`x' or '1'='1`, "user", "user_none")).toEqual([]);
    expect(await find(`"}'; drop table "user"; --`, "user", "user_none")).toEqual([]);
  });
});

test("what is no address is refused before any connection", () => {
  expect(() => connect("")).toThrow("must be an address such as postgres://");
  expect(() => connect("mysql://u:hunter2@h/d")).not.toThrow("hunter2");
});
