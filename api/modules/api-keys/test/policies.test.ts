import { apiKey, eq, usageCounter, usageEvent, usageLimit, usageRecord } from "@repo/db";
import { describe, expect, test } from "vitest";
import type { Tx } from "../../../core/database/doors.ts";
import { type Actor, rls } from "../../../core/database/rls.ts";
import { signIn } from "../../../test/actors.ts";
import { withContext } from "../../../test/context.ts";
import { withOwner } from "../../../test/owner.ts";
import { hashApiKey, makeApiKey } from "../key.ts";
import { insider, keyOf } from "./keys.ts";

type Speaker = Omit<Actor, "readOnly">;

/** What the policies alone allow, past procedures and services. */
function as<T>(actor: Speaker, work: (tx: Tx) => Promise<T>): Promise<T> {
  return withContext({}, ({ dbDirect }) => rls(dbDirect, actor, work));
}
const speaking = (claims: Actor["claims"]): Speaker => ({ role: "authenticated", claims });

/** SQLSTATE of a write that must fail. */
async function stateOf(write: Promise<unknown>): Promise<unknown> {
  const outcome = await write.then(
    () => "done",
    (error: unknown) => error,
  );
  const cause = outcome instanceof Error ? (outcome.cause ?? outcome) : outcome;
  return cause instanceof Error && "code" in cause ? cause.code : outcome;
}

const newKey = () => {
  const secret = makeApiKey("fl_test");
  return { name: "x", prefix: "fl_test" as const, lastFour: secret.slice(-4), keyHash: hashApiKey(secret), scopes: [] };
};

async function places() {
  const [host, stranger] = [await insider(), await insider()];
  const [shared, own] = [await keyOf(host), await keyOf(host, { owner: "user" })];
  const [org, sub] = [host.organization.id, host.user.id];
  const at = { metric: "api_call", period: "day" as const, periodStart: new Date(0), endsAt: new Date(1) };
  await withOwner(async (db) => {
    const record = { metric: "api_call", quantity: 1, periodStart: new Date(0) };
    await db.insert(usageRecord).values([
      { ...record, organizationId: org, keyId: shared.id },
      { ...record, userId: sub, keyId: own.id },
    ]);
    await db.insert(usageLimit).values([
      { organizationId: org, metric: "api_call", period: "day", max: 1 },
      { userId: sub, metric: "api_call", period: "day", max: 1 },
    ]);
    await db.insert(usageCounter).values([
      { ...at, owner: org, used: 1 },
      { ...at, owner: sub, used: 1 },
    ]);
  });
  return { host, stranger, shared, own, org, sub };
}

const tables = { apiKey, usageRecord, usageLimit, usageCounter } as const;
const count = (actor: Speaker, name: keyof typeof tables) =>
  as(actor, async (tx) => {
    if (name === "usageCounter") return (await tx.select({ owner: usageCounter.owner }).from(usageCounter)).length;
    const table = tables[name];
    return (await tx.select({ id: table.id }).from(table)).length;
  });

describe.each(Object.keys(tables) as (keyof typeof tables)[])("%s", (name) => {
  test("shows a person's own rows, and those of the organization that the request speaks for", async () => {
    const { stranger, org, sub } = await places();
    expect(await count(speaking({ sub, org }), name)).toBe(2);
    expect(await count(speaking({ sub }), name)).toBe(1);
    expect(await count(speaking({ sub: stranger.user.id, org }), name)).toBe(1);
    expect(await count(speaking({ sub: stranger.user.id, org: stranger.organization.id }), name)).toBe(0);
    expect(await count(speaking({}), name)).toBe(0);
    // No key sees keys; what is used, it does.
    expect(await count(speaking({ org, key: "key_x" }), name)).toBe(name === "apiKey" ? 0 : 1);
    for (const role of ["support", "admin"] as const)
      expect(await count({ role, claims: { sub } }, name)).toBeGreaterThan(1);
    expect(await stateOf(count({ role: "anonymous", claims: {} }, name))).toBe("42501");
  });
});

describe("keys", () => {
  test("are made by people, in their own name, for themselves or the organization that they speak for", async () => {
    const { org, sub, stranger } = await places();
    const make = (claims: Actor["claims"], values: object) =>
      stateOf(as(speaking(claims), async (tx) => tx.insert(apiKey).values({ ...newKey(), ...values })));
    expect(await make({ sub, org }, { organizationId: org, createdBy: sub })).toBe("done");
    expect(await make({ sub }, { userId: sub, createdBy: sub })).toBe("done");
    expect(await make({ sub }, { organizationId: org, createdBy: sub })).toBe("42501");
    expect(await make({ sub, org }, { organizationId: org, createdBy: stranger.user.id })).toBe("42501");
    expect(await make({ sub, org }, { userId: stranger.user.id, createdBy: sub })).toBe("42501");
    expect(await make({ sub, org }, { organizationId: stranger.organization.id, createdBy: sub })).toBe("42501");
    expect(await make({ sub, org, key: "key_x" }, { userId: sub, createdBy: sub })).toBe("42501");
    expect(await make({ org, key: "key_x" }, { organizationId: org })).toBe("42501");
    expect(await make({ sub, org }, { organizationId: org, userId: sub, createdBy: sub })).toBe("23514");
  });

  test("are changed by their owners alone, and moved to nobody else", async () => {
    const { org, sub, shared, own, stranger } = await places();
    const rename = (claims: Actor["claims"], id: string) =>
      as(
        speaking(claims),
        async (tx) =>
          (await tx.update(apiKey).set({ name: "y" }).where(eq(apiKey.id, id)).returning({ id: apiKey.id })).length,
      );
    expect(await rename({ sub, org }, shared.id)).toBe(1);
    expect(await rename({ sub }, own.id)).toBe(1);
    expect(await rename({ sub: stranger.user.id, org: stranger.organization.id }, shared.id)).toBe(0);
    expect(await rename({ sub: stranger.user.id, org }, own.id)).toBe(0);
    expect(await rename({ org, key: shared.id }, shared.id)).toBe(0);
    const change = (work: (tx: Tx) => Promise<unknown>) => stateOf(as(speaking({ sub, org }), work));
    expect(await change(async (tx) => tx.update(apiKey).set({ organizationId: null, userId: sub }))).toBe("42501");
    expect(await change(async (tx) => tx.update(apiKey).set({ keyHash: "x" }))).toBe("42501");
    expect(await change(async (tx) => tx.delete(apiKey))).toBe("42501");
    expect(await change(async (tx) => tx.select({ hash: apiKey.keyHash }).from(apiKey))).toBe("42501");
    for (const role of ["support", "admin"] as const)
      expect(
        await stateOf(as({ role, claims: { sub } }, async (tx) => tx.select({ hash: apiKey.keyHash }).from(apiKey))),
      ).toBe("42501");
  });
});

test("nobody counts, records or lifts a limit but the system and the platform's admins", async () => {
  const { org, sub } = await places();
  const limit = { metric: "x", period: "day", max: 1, organizationId: org } as const;
  const record = { metric: "x", quantity: 1, periodStart: new Date(), keyId: "key_x", organizationId: org };
  const writes: ((tx: Tx) => Promise<unknown>)[] = [
    async (tx) => tx.insert(usageLimit).values(limit),
    async (tx) => tx.update(usageLimit).set({ max: 9 }),
    async (tx) => tx.delete(usageLimit),
    async (tx) => tx.update(usageCounter).set({ used: 0 }),
    async (tx) => tx.delete(usageCounter),
    async (tx) => tx.insert(usageRecord).values(record),
    async (tx) => tx.update(usageRecord).set({ quantity: 1 }),
    async (tx) => tx.insert(usageEvent).values({}),
    async (tx) => tx.select().from(usageEvent),
  ];
  for (const write of writes) {
    expect(await stateOf(as(speaking({ sub, org }), write))).toBe("42501");
    expect(await stateOf(as({ role: "support", claims: { sub: (await signIn()).user.id } }, write))).toBe("42501");
  }
  expect(await stateOf(as({ role: "admin", claims: { sub } }, async (tx) => tx.insert(usageLimit).values(limit)))).toBe(
    "done",
  );
});
