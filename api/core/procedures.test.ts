import { user } from "@repo/db";
import { describe, expect, test } from "vitest";
import { type Actor, joinOrganization, makeUser, openSession, signIn } from "../test/actors.ts";
import { apiFor } from "../test/call.ts";
import { withContext } from "../test/context.ts";
import { expectRefusal } from "../test/errors.ts";
import { ownerSql } from "../test/owner.ts";
import {
  adminProcedure,
  createCallerFactory,
  memberProcedure,
  ownerProcedure,
  router,
  staffProcedure,
  userProcedure,
} from "./procedures.ts";

/** One procedure of each rung, as a module would have them. */
const ladder = router({
  member: memberProcedure.query(({ ctx }) => ({ organizationId: ctx.caller.organizationId, role: ctx.caller.role })),
  admin: adminProcedure.query(() => "admin"),
  owner: ownerProcedure.query(() => "owner"),
  staff: staffProcedure.query(({ ctx }) => ctx.rls((tx) => tx.select({ id: user.id }).from(user))),
  writingQuery: userProcedure.query(({ ctx }) => ctx.rls((tx) => tx.update(user).set({ name: "written by a query" }))),
});

function climb<T>(
  { headers }: Pick<Actor, "headers">,
  step: (caller: ReturnType<ReturnType<typeof createCallerFactory<typeof ladder._def.record>>>) => Promise<T>,
): Promise<T> {
  return withContext(headers, (context) => step(createCallerFactory(ladder)(context)));
}

describe("the caller", () => {
  test("a cookie and a bearer token speak for the session; an unsigned or forged one for nobody", async () => {
    const { id, email } = await makeUser();
    const { cookie, bearer } = await openSession(id);
    expect(await apiFor({ cookie }).user.me()).toMatchObject({ email });
    expect(await apiFor({ authorization: `Bearer ${bearer}` }).user.me()).toMatchObject({ email });
    const [token = ""] = decodeURIComponent(bearer).split(".");
    for (const forged of [token, `${token}.`, `${token}.${"A".repeat(43)}=`, `${bearer.slice(0, -6)}AAAA%3D`, "x"]) {
      await expectRefusal(apiFor({ authorization: `Bearer ${forged}` }).user.me(), "UNAUTHENTICATED");
    }
  });

  test("an expired or revoked session and a banned user fail on the next request", async () => {
    const ada = await signIn();
    await ada.api.user.me();
    await ownerSql("update session set expires_at = now() - interval '1 second' where id = $1", [ada.sessionId]);
    await expectRefusal(ada.api.user.me(), "UNAUTHENTICATED");
    const bob = await signIn();
    await ownerSql("delete from session where id = $1", [bob.sessionId]);
    await expectRefusal(bob.api.user.me(), "UNAUTHENTICATED");
    const eve = await signIn();
    await ownerSql(`update "user" set banned = true where id = $1`, [eve.user.id]);
    await expectRefusal(eve.api.user.me(), "UNAUTHENTICATED");
    await ownerSql(`update "user" set ban_expires = now() - interval '1 second' where id = $1`, [eve.user.id]);
    expect(await eve.api.user.me()).toMatchObject({ id: eve.user.id });
  });
});

describe("the ladder", () => {
  test.each([
    ["viewer", ["member"]],
    ["member", ["member"]],
    ["admin", ["member", "admin"]],
    ["owner", ["member", "admin", "owner"]],
  ] as const)("a %s climbs to %j", async (role, reached) => {
    const actor = await joinOrganization(await signIn(), role);
    expect(await climb(actor, (caller) => caller.member())).toEqual({ organizationId: actor.organization.id, role });
    for (const rung of ["admin", "owner"] as const) {
      const attempt = climb<string>(actor, (caller) => caller[rung]());
      if ((reached as readonly string[]).includes(rung)) expect(await attempt).toBe(rung);
      else await expectRefusal(attempt, "FORBIDDEN", "role_too_low");
    }
  });

  test("an organization that one is no member of is refused, not replaced", async () => {
    const ada = await joinOrganization(await signIn(), "owner");
    const eve = await joinOrganization(await signIn(), "owner");
    const intruding = { headers: { ...eve.headers, "x-organization": ada.organization.id } };
    await expectRefusal(
      climb(intruding, (caller) => caller.member()),
      "FORBIDDEN",
      "not_a_member",
    );
    await expectRefusal(
      apiFor({ ...eve.headers, "x-organization": "org_none" }).user.me(),
      "FORBIDDEN",
      "not_a_member",
    );
    const { "x-organization": _, ...bare } = eve.headers as Record<string, string>;
    await expectRefusal(
      climb({ headers: bare }, (caller) => caller.member()),
      "FORBIDDEN",
      "no_organization",
    );
  });

  test("the session's active organization counts where no header names one; a deleted one does not", async () => {
    const ada = await joinOrganization(await signIn(), "member");
    const { "x-organization": _, ...bare } = ada.headers as Record<string, string>;
    await ownerSql("update session set active_organization_id = $2 where id = $1", [
      ada.sessionId,
      ada.organization.id,
    ]);
    expect(await climb({ headers: bare }, (caller) => caller.member())).toMatchObject({
      organizationId: ada.organization.id,
    });
    await ownerSql("update organization set deleted_at = now() where id = $1", [ada.organization.id]);
    await expectRefusal(
      climb({ headers: bare }, (caller) => caller.member()),
      "FORBIDDEN",
      "no_organization",
    );
  });

  test("staff see every user, through their own role; others see none of it", async () => {
    const ada = await signIn();
    await expectRefusal(
      climb(ada, (caller) => caller.staff()),
      "FORBIDDEN",
    );
    for (const role of ["support", "admin"] as const) {
      const staff = await signIn({ role });
      expect(await climb(staff, (caller) => caller.staff())).toContainEqual({ id: ada.user.id });
    }
  });
});

test("a query cannot write, whatever its code says", async () => {
  const ada = await signIn();
  await expectRefusal(
    climb(ada, (caller) => caller.writingQuery()),
    "INTERNAL",
  );
  expect(await ada.api.user.me()).toMatchObject({ name: ada.user.name });
});
