import { and, apiKey, eq, isNull } from "@repo/db";
import { expect, inject, test } from "vitest";
import { connectionOf } from "../../../core/database/doors.ts";
import { signIn, unique } from "../../../test/actors.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { withDb, withOwner } from "../../../test/owner.ts";
import { hashApiKey } from "../key.ts";
import { insider } from "./keys.ts";

type Owner = { userId: string } | { organizationId: string };

/** Gives the owner as many active keys. */
async function fill(owner: Owner, keys: number) {
  await withOwner((db) =>
    db.insert(apiKey).values(
      Array.from({ length: keys }, () => {
        const keyHash = hashApiKey(unique());
        return { ...owner, name: "x", prefix: "fl_test" as const, lastFour: "abcd", keyHash, scopes: [] };
      }),
    ),
  );
}

function activeOf(owner: Owner) {
  const owned = "userId" in owner ? eq(apiKey.userId, owner.userId) : eq(apiKey.organizationId, owner.organizationId);
  return withOwner((db) => db.$count(apiKey, and(owned, isNull(apiKey.revokedAt))));
}

test("an owner makes keys until 100 are active", async () => {
  const { api, user } = await signIn();
  await fill({ userId: user.id }, 99);
  const last = await api.apiKeys.create({ name: "100", scopes: ["user:read"] });
  await expectRefusal(api.apiKeys.create({ name: "101", scopes: ["user:read"] }), "CONFLICT", "key_limit");
  await api.apiKeys.revoke({ id: last.id });
  await api.apiKeys.create({ name: "100 again", scopes: ["user:read"] });
  expect(await withOwner((db) => db.$count(apiKey, eq(apiKey.userId, user.id)))).toBe(101);
});

test("with the overlaps of rotated keys, until 200 are", async () => {
  const { api, user } = await signIn();
  const first = await api.apiKeys.create({ name: "1", scopes: ["user:read"] });
  await fill({ userId: user.id }, 198);
  const second = await api.apiKeys.rotate({ id: first.id, overlapSeconds: 3600 });
  await expectRefusal(api.apiKeys.rotate({ id: second.id, overlapSeconds: 3600 }), "CONFLICT", "key_limit");
  expect(await activeOf({ userId: user.id })).toBe(200);
  const [kept] = await withOwner((db) => db.select().from(apiKey).where(eq(apiKey.id, second.id)));
  expect(kept).toMatchObject({ replacedBy: null, expiresAt: null });
});

test.each(["user", "organization"] as const)(
  "of eight at once near the cap, as many as fit: the %s's",
  async (whose) => {
    const ada = await insider();
    const bob = await insider("admin", ada.organization);
    const makers = whose === "user" ? [ada] : [ada, bob];
    const owner = whose === "user" ? { userId: ada.user.id } : { organizationId: ada.organization.id };
    await fill(owner, 97);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) =>
        (makers[n % makers.length] ?? ada).api.apiKeys.create({ owner: whose, name: `${n}`, scopes: ["user:read"] }),
      ),
    );
    const made = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value.id] : []));
    const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    expect(made).toHaveLength(3);
    for (const reason of refused) await expectRefusal(Promise.reject(reason), "CONFLICT", "key_limit");
    expect(await activeOf(owner)).toBe(100);
  },
);

test.runIf(inject("superuser"))("an organization that is deleted meanwhile gets no key", async () => {
  const ada = await insider();
  const { id: organizationId } = ada.organization;
  const blocked = "select from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
  await withOwner(async (db) => {
    const deletion = connectionOf(db);
    await deletion.query("begin");
    const { rows } = await deletion.query("select pg_backend_pid() as pid");
    await deletion.query("update organization set deleted_at = now() where id = $1", [organizationId]);
    const made = ada.api.apiKeys.create({ owner: "organization", name: "Late", scopes: ["user:read"] });
    const refused = expectRefusal(made, "NOT_FOUND");
    const waiting = () => withDb(inject("superuser"), (other) => connectionOf(other).query(blocked, [rows[0].pid]));
    await expect.poll(async () => (await waiting()).rowCount).toBe(1);
    await deletion.query("commit");
    await refused;
  });
  expect(await activeOf({ organizationId })).toBe(0);
});
