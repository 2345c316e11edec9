import { auditLog, eq, user } from "@repo/db";
import { expect, test } from "vitest";
import { signIn } from "../test/actors.ts";
import { withContext } from "../test/context.ts";
import { ownerSql, withOwner } from "../test/owner.ts";
import { type AuditEntry, audit } from "./audit.ts";
import type { Context } from "./context.ts";
import type { Tx } from "./database/doors.ts";
import { rls } from "./database/rls.ts";

const entriesOf = (actorId: string) =>
  withOwner((db) => db.select().from(auditLog).where(eq(auditLog.actorId, actorId)).orderBy(auditLog.id));

/** Runs `work` as a signed-in user of its own. */
async function asSomebody<T>(work: (tx: Tx, write: (entry: AuditEntry) => void, context: Context) => Promise<T>) {
  const { user: ada, headers } = await signIn();
  const outcome = await withContext(headers, async (context) => {
    const caller = await context.findCaller();
    if (!caller) throw new Error("nobody is signed in");
    const actor = { role: "authenticated", claims: { sub: ada.id } } as const;
    return rls(context.dbDirect, actor, (tx) =>
      work(tx, (entry) => audit({ ...context, caller }, tx, entry), context),
    ).then(
      () => ({ trips: context.trips.total, requestId: context.requestId, error: undefined }),
      (error: unknown) => ({ trips: context.trips.total, requestId: context.requestId, error }),
    );
  });
  const { rows } = await ownerSql(`select name from "user" where id = $1`, [ada.id]);
  return { ...outcome, ada, name: rows[0].name, entries: await entriesOf(ada.id) };
}

const rename = async (tx: Tx, name: string) => tx.update(user).set({ name }).returning({ id: user.id });

test("rides with COMMIT, however many there are: caller, write and commit take three trips", async () => {
  const { trips, requestId, name, entries, ada } = await asSomebody(async (tx, write) => {
    await rename(tx, "Ada L.");
    write({ action: "user.update", target: "user_1", after: { name: "Ada L." } });
    write({ action: "user.update", target: "user_2", before: { name: "x" } });
  });
  expect([trips, name]).toEqual([3, "Ada L."]);
  const common = { actorId: ada.id, impersonatorId: null, organizationId: null, requestId, ip: "127.0.0.1" };
  expect(entries).toMatchObject([
    { ...common, action: "user.update", target: "user_1", before: null, after: { name: "Ada L." } },
    { ...common, target: "user_2", before: { name: "x" }, after: null },
  ]);
});

test("keeps what differs, leaves out the time of the change and redacts secrets, however deep", async () => {
  const { entries } = await asSomebody(async (_, write) => {
    const at = new Date(0);
    write({
      action: "x.y",
      target: "t",
      before: { same: { a: 1 }, at: null, updatedAt: at, password: "old", settings: { api_key: "k", list: [1] } },
      after: { same: { a: 1 }, at, updatedAt: new Date(1), password: "new", settings: { api_key: "l", list: [2] } },
    });
  });
  expect(entries).toMatchObject([
    {
      before: { at: null, password: "[redacted]", settings: { api_key: "[redacted]", list: [1] } },
      after: { at: "1970-01-01T00:00:00.000Z", password: "[redacted]", settings: { api_key: "[redacted]", list: [2] } },
    },
  ]);
  expect(JSON.stringify(entries)).not.toMatch(/old|new|same|updatedAt/);
});

test("a throw after it leaves neither the write nor the entry", async () => {
  const { error, name, entries } = await asSomebody(async (tx, write) => {
    await rename(tx, "lost");
    write({ action: "x.y", target: "t" });
    throw new Error("changed my mind");
  });
  expect(error).toMatchObject({ message: "changed my mind" });
  expect([name, entries]).toEqual(["Test User", []]);
});

test("an entry that cannot be written undoes the write, and says why", async () => {
  const { error, name, entries } = await asSomebody(async (tx, write) => {
    await rename(tx, "lost");
    write({ action: "x.y", target: "t", organizationId: "org_of_others" });
  });
  expect(error).toMatchObject({ code: "42501" });
  expect([name, entries]).toEqual(["Test User", []]);
});

test("a savepoint that is undone takes its entries along", async () => {
  const { name, entries } = await asSomebody(async (tx, write) => {
    await rename(tx, "kept");
    write({ action: "x.kept", target: "t" });
    const undone = tx.savepoint(async () => {
      await rename(tx, "undone");
      write({ action: "x.undone", target: "t" });
      throw new Error("undo");
    });
    await undone.catch(() => {});
  });
  expect(name).toBe("kept");
  expect(entries).toMatchObject([{ action: "x.kept" }]);
});

test("behind a statement that broke the transaction, the first failure is the one that shows", async () => {
  const { error } = await asSomebody(async (tx) => {
    const [broken, behind] = await Promise.allSettled([
      tx.update(user).set({ role: "admin" }),
      tx.select({ id: user.id }).from(user),
    ]);
    expect([broken.status, behind.status]).toEqual(["rejected", "rejected"]);
    if (behind.status === "rejected") throw behind.reason;
  });
  expect(error).toMatchObject({ cause: { code: "42501" } });
});

test("a query cannot write one", async () => {
  const { user: ada } = await signIn();
  await withContext({}, async ({ dbDirect }) => {
    const actor = { role: "authenticated", claims: { sub: ada.id }, readOnly: true } as const;
    const write = rls(dbDirect, actor, async (tx) => audit({ requestId: "r" }, tx, { action: "x.y", target: ada.id }));
    await expect(write).rejects.toMatchObject({ code: "25006" });
  });
});

test("outside a transaction that can still commit, there is nothing to ride with", async () => {
  let late: Tx | undefined;
  await asSomebody(async (tx) => {
    late = tx;
  });
  expect(() => late && audit({ requestId: "r" }, late, { action: "x.y", target: "t" })).toThrow("had ended");
});
