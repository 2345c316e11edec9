import { auditLog, eq, idempotencyKey, organization } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { describe, expect, test } from "vitest";
import { joinOrganization, signIn, unique } from "../test/actors.ts";
import { withContext } from "../test/context.ts";
import { expectRefusal } from "../test/errors.ts";
import { withOwner } from "../test/owner.ts";
import { audit } from "./audit.ts";
import { type Caller, finderOf, type KeyCaller } from "./caller.ts";
import {
  adminProcedure,
  createCallerFactory,
  type MemberContext,
  memberProcedure,
  memberUserProcedure,
  router,
  sessionProcedure,
  staffProcedure,
  type UserContext,
  userProcedure,
} from "./procedures.ts";

const read = { scope: "things:read", trips: 2 } as const;
const write = { scope: "things:write", trips: 3 } as const;

function rename(ctx: MemberContext) {
  return ctx.rls(async (tx) => {
    const rows = await tx.update(organization).set({ name: "Renamed" }).returning({ name: organization.name });
    audit(ctx, tx, { action: "thing.rename", target: ctx.caller.organizationId });
    return rows;
  });
}

const note = (ctx: UserContext, target: string) =>
  ctx.rls(async (tx) => audit(ctx, tx, { action: "thing.note", target }));

const things = router({
  user: userProcedure.meta(read).query(({ ctx }) => ctx.caller.user.id),
  userWrite: userProcedure.meta(write).mutation(({ ctx }) => note(ctx, ctx.caller.user.id)),
  session: sessionProcedure.meta(read).query(() => "session"),
  member: memberProcedure.meta(read).query(({ ctx }) => ({ role: ctx.caller.role, user: ctx.caller.user })),
  memberWrite: memberProcedure.meta(write).mutation(({ ctx }) => rename(ctx)),
  readThatWrites: memberProcedure.meta(read).mutation(({ ctx }) => rename(ctx)),
  person: memberUserProcedure.meta(read).query(() => "person"),
  admin: adminProcedure.meta(read).query(() => "admin"),
  staff: staffProcedure.meta(read).query(() => "staff"),
  closed: memberProcedure.meta({ scope: false, trips: 2 }).query(() => "closed"),
  forgotten: memberProcedure.query(() => "forgotten"),
});
type Things = ReturnType<ReturnType<typeof createCallerFactory<typeof things._def.record>>>;

/** A call as `caller`, however it was found. */
function as<T>(caller: Caller, call: (api: Things) => Promise<T>, headers: Record<string, string> = {}): Promise<T> {
  return withContext(headers, (context) =>
    call(createCallerFactory(things)({ ...context, findCaller: finderOf(async () => caller) })),
  );
}

async function keys(scopes = ["things:read", "things:write"], role: "owner" | "member" = "owner") {
  const owner = await joinOrganization(await signIn({ role: "admin" }), role);
  const base = { via: "key", scopes } as const;
  const membership = { organizationId: owner.organization.id, role };
  const ofOrganization: KeyCaller = { ...base, keyId: newId("key"), user: null, membership };
  const ofUser: KeyCaller = { ...base, keyId: newId("key"), user: owner.user, membership: null };
  return { owner, ofOrganization, ofUser };
}

describe("an API key", () => {
  test("gets where its scopes let it", async () => {
    const { owner, ofOrganization, ofUser } = await keys();
    expect(await as(ofUser, (api) => api.user())).toBe(owner.user.id);
    expect(await as(ofOrganization, (api) => api.member())).toEqual({ role: "owner", user: null });
    expect(await as(ofOrganization, (api) => api.admin())).toBe("admin");
    const { ofOrganization: low } = await keys(undefined, "member");
    await expectRefusal(
      as(low, (api) => api.admin()),
      "FORBIDDEN",
      "role_too_low",
    );
  });

  test.each(["member", "memberWrite"] as const)("without its scope it does not get to %s", async (name) => {
    const { ofOrganization } = await keys(["others:read", "others:write"]);
    await expectRefusal(
      as<unknown>(ofOrganization, (api) => api[name]()),
      "FORBIDDEN",
      "scope_missing",
    );
  });

  test.each(["closed", "forgotten"] as const)("no key gets to a procedure whose scope is %s", async (name) => {
    const { owner, ofOrganization } = await keys();
    await expectRefusal(
      as(ofOrganization, (api) => api[name]()),
      "FORBIDDEN",
      "not_for_keys",
    );
    expect(await withContext(owner.headers, (context) => createCallerFactory(things)(context)[name]())).toBe(name);
  });

  test("an organization's is no person, a person's speaks for no organization, and none is staff", async () => {
    const { ofOrganization, ofUser } = await keys();
    for (const name of ["user", "person", "staff"] as const)
      await expectRefusal(
        as<unknown>(ofOrganization, (api) => api[name]()),
        "FORBIDDEN",
        "no_user",
      );
    for (const name of ["member", "person"] as const)
      await expectRefusal(
        as<unknown>(ofUser, (api) => api[name]()),
        "FORBIDDEN",
        "no_organization",
      );
    await expectRefusal(
      as(ofUser, (api) => api.staff()),
      "FORBIDDEN",
      "not_for_keys",
    );
    await expectRefusal(
      as(ofUser, (api) => api.session()),
      "FORBIDDEN",
      "no_session",
    );
  });

  test("that was let in to read cannot write, whatever the procedure does", async () => {
    const { ofOrganization } = await keys();
    await expectRefusal(
      as(ofOrganization, (api) => api.readThatWrites()),
      "INTERNAL",
    );
    const renamed = () => withOwner((db) => db.$count(organization, eq(organization.name, "Renamed")));
    const before = await renamed();
    expect(await as(ofOrganization, (api) => api.memberWrite())).toEqual([{ name: "Renamed" }]);
    expect((await renamed()) - before).toBe(1);
  });
});

test("whoever asks for the caller without a scope is handed no key", async () => {
  const { owner, ofUser } = await keys();
  await expectRefusal(finderOf(async () => ofUser)(), "FORBIDDEN", "not_for_keys");
  expect(await withContext(owner.headers, (context) => context.findCaller())).toMatchObject({ via: "session" });
});

describe("what a key wrote", () => {
  const rowsOf = (target: string) =>
    withOwner((db) => db.select().from(auditLog).where(eq(auditLog.target, target)).orderBy(auditLog.id));

  test("is in the audit log under the key, and under the person if there is one", async () => {
    const { owner, ofOrganization, ofUser } = await keys();
    const organizationId = owner.organization.id;
    await as(ofOrganization, (api) => api.memberWrite());
    await as(ofUser, (api) => api.userWrite());
    expect(await rowsOf(organizationId)).toMatchObject([
      { actorId: null, keyId: ofOrganization.keyId, organizationId, impersonatorId: null },
    ]);
    expect(await rowsOf(owner.user.id)).toMatchObject([
      { actorId: owner.user.id, keyId: ofUser.keyId, organizationId: null },
    ]);
  });

  test("is done once under an idempotency key, which is the API key's own", async () => {
    const { owner, ofUser } = await keys();
    const other: KeyCaller = { ...ofUser, keyId: newId("key") };
    const headers = { "idempotency-key": unique() };
    for (const caller of [ofUser, ofUser, other]) await as(caller, (api) => api.userWrite(), headers);
    expect((await rowsOf(owner.user.id)).map(({ keyId }) => keyId)).toEqual([ofUser.keyId, other.keyId]);
    const kept = await withOwner((db) =>
      db.select().from(idempotencyKey).where(eq(idempotencyKey.key, headers["idempotency-key"])),
    );
    expect(kept.map(({ caller }) => caller).sort()).toEqual([ofUser.keyId, other.keyId].sort());
  });
});
