import { memberRoles } from "@repo/db";
import { describe, expect, test } from "vitest";
import { auditOf } from "../../../test/audit.ts";
import { expectRefusal, refusal } from "../../../test/errors.ts";
import { clientFor } from "../../../test/http.ts";
import { openWire } from "../../../test/wire.ts";
import { grantable } from "../policy.ts";
import { insider, rolesIn } from "./places.ts";

const rounds = [1, 2, 3, 4, 5];

/** Outcomes of calls sent at the same time, by their refusals' codes. */
async function race(...calls: Promise<unknown>[]) {
  const outcomes = await Promise.all(calls.map((call) => call.then(() => "done").catch(() => refusal(call))));
  return outcomes
    .map((outcome) => (typeof outcome === "string" ? outcome : `${outcome.code} ${outcome.reason}`))
    .sort();
}

describe("roles", () => {
  const pairs = memberRoles.flatMap((from) => memberRoles.map((to) => [from, to] as const));

  test.each(pairs)("an admin makes a %s a %s only among those below owners", async (from, to) => {
    const admin = await insider("admin");
    await insider("owner", admin.organization);
    const target = await insider(from, admin.organization);
    const change = admin.api.organization.members.updateRole({ memberId: target.memberId, role: to });
    if (grantable.admin.includes(from) && grantable.admin.includes(to)) {
      expect(await change).toEqual({ id: target.memberId, userId: target.user.id, role: to });
    } else {
      await expectRefusal(change, "FORBIDDEN", "role_too_low");
      expect(await rolesIn(admin.organization)).toMatchObject({ [target.memberId]: from });
    }
  });

  test("an owner makes and unmakes owners, themselves included while another remains", async () => {
    const ada = await insider("owner");
    const bob = await insider("viewer", ada.organization);
    await ada.api.organization.members.updateRole({ memberId: bob.memberId, role: "owner" });
    await bob.api.organization.members.updateRole({ memberId: ada.memberId, role: "member" });
    expect(await rolesIn(ada.organization)).toEqual({ [ada.memberId]: "member", [bob.memberId]: "owner" });
    expect(await auditOf(bob.memberId)).toMatchObject([
      { action: "member.update", actorId: ada.user.id, before: { role: "viewer" }, after: { role: "owner" } },
    ]);
    await expectRefusal(
      bob.api.organization.members.updateRole({ memberId: bob.memberId, role: "admin" }),
      "CONFLICT",
      "last_owner",
    );
    expect(await auditOf(bob.memberId)).toHaveLength(1);
  });

  test("an admin removes anyone but owners", async () => {
    const admin = await insider("admin");
    const owner = await insider("owner", admin.organization);
    await insider("owner", admin.organization);
    const viewer = await insider("viewer", admin.organization);
    await expectRefusal(admin.api.organization.members.remove({ memberId: owner.memberId }), "FORBIDDEN");
    await admin.api.organization.members.remove({ memberId: viewer.memberId });
    expect(Object.keys(await rolesIn(admin.organization))).not.toContain(viewer.memberId);
  });
});

describe("the last owner", () => {
  test("can be neither demoted nor removed, and cannot leave", async () => {
    const ada = await insider("owner");
    await insider("admin", ada.organization);
    const { memberId } = ada;
    const before = await rolesIn(ada.organization);
    await expectRefusal(ada.api.organization.members.updateRole({ memberId, role: "admin" }), "CONFLICT", "last_owner");
    await expectRefusal(ada.api.organization.members.remove({ memberId }), "CONFLICT", "last_owner");
    await expectRefusal(ada.api.organization.leave(), "CONFLICT", "last_owner");
    expect(await rolesIn(ada.organization)).toEqual(before);
    expect(await auditOf(memberId)).toEqual([]);
  });

  test.each(rounds)("two owners who demote each other at once: one loses (round %i)", async () => {
    const ada = await insider("owner");
    const bob = await insider("owner", ada.organization);
    const outcomes = await race(
      ada.api.organization.members.updateRole({ memberId: bob.memberId, role: "member" }),
      bob.api.organization.members.updateRole({ memberId: ada.memberId, role: "member" }),
    );
    expect(outcomes).toHaveLength(2);
    expect(outcomes[1]).toBe("done");
    expect(outcomes[0]).toMatch(/^FORBIDDEN role_too_low$|^CONFLICT last_owner$/);
    expect(Object.values(await rolesIn(ada.organization)).sort()).toEqual(["member", "owner"]);
  });

  test.each(rounds)("two owners who leave at once: one stays (round %i)", async () => {
    const ada = await insider("owner");
    const bob = await insider("owner", ada.organization);
    expect(await race(ada.api.organization.leave(), bob.api.organization.leave())).toEqual([
      "CONFLICT last_owner",
      "done",
    ]);
    expect(Object.values(await rolesIn(ada.organization))).toEqual(["owner"]);
  });

  test.each(rounds)("one who leaves and one who deletes the account at once: one stays (round %i)", async () => {
    const ada = await insider("owner");
    const bob = await insider("owner", ada.organization);
    await insider("member", ada.organization);
    expect(await race(ada.api.organization.leave(), bob.api.user.delete())).toEqual(["CONFLICT last_owner", "done"]);
    expect(Object.values(await rolesIn(ada.organization)).sort()).toEqual(["member", "owner"]);
  });
});

test("on the wire: the caller; the lock, what was true and the write; the audit row and COMMIT", async () => {
  const ada = await insider("owner");
  const bob = await insider("viewer", ada.organization);
  const wire = await openWire("direct");
  const { client } = clientFor(ada.headers, { HYPERDRIVE_DIRECT: wire.binding });
  await client.organization.members.updateRole.mutate({ memberId: bob.memberId, role: "admin" });
  const { opened, flights } = await wire.look();
  expect(opened).toBe(1);
  const statements = flights.filter((letters) => /[QP]/.test(letters));
  expect(statements).toEqual(["PBDES", "QPBDESPBDESPBDES", "PBDESQ"]);
});

describe("leaving", () => {
  test("takes effect on the next request, however the membership ended", async () => {
    const ada = await insider("owner");
    const bob = await insider("member", ada.organization);
    const eve = await insider("viewer", ada.organization);
    await bob.api.organization.get();
    await ada.api.organization.members.remove({ memberId: bob.memberId });
    await expectRefusal(bob.api.organization.get(), "FORBIDDEN", "not_a_member");
    await eve.api.organization.leave();
    await expectRefusal(eve.api.organization.get(), "FORBIDDEN", "not_a_member");
    expect(Object.keys(await rolesIn(ada.organization))).toEqual([ada.memberId]);
    expect(await auditOf(eve.memberId)).toMatchObject([
      { action: "member.leave", actorId: eve.user.id, organizationId: ada.organization.id, after: null },
    ]);
  });

  test("a demotion counts from the next request on", async () => {
    const ada = await insider("owner");
    const bob = await insider("admin", ada.organization);
    await bob.api.organization.audit.list({});
    await ada.api.organization.members.updateRole({ memberId: bob.memberId, role: "viewer" });
    await expectRefusal(bob.api.organization.audit.list({}), "FORBIDDEN", "role_too_low");
  });
});

describe("transferring ownership", () => {
  test("swaps the roles, once", async () => {
    const ada = await insider("owner");
    const bob = await insider("viewer", ada.organization);
    expect(await ada.api.organization.transferOwnership({ memberId: bob.memberId })).toEqual({
      owner: bob.memberId,
      admin: ada.memberId,
    });
    expect(await rolesIn(ada.organization)).toEqual({ [ada.memberId]: "admin", [bob.memberId]: "owner" });
    await expectRefusal(ada.api.organization.transferOwnership({ memberId: bob.memberId }), "FORBIDDEN");
    await expectRefusal(
      bob.api.organization.transferOwnership({ memberId: bob.memberId }),
      "BAD_REQUEST",
      "own_membership",
    );
    expect(await rolesIn(ada.organization)).toMatchObject({ [bob.memberId]: "owner" });
  });

  test.each(rounds)("to two people at once goes to one (round %i)", async () => {
    const ada = await insider("owner");
    const heirs = [await insider("member", ada.organization), await insider("member", ada.organization)];
    const outcomes = await race(...heirs.map(({ memberId }) => ada.api.organization.transferOwnership({ memberId })));
    expect(outcomes).toEqual(["FORBIDDEN role_too_low", "done"]);
    expect(Object.values(await rolesIn(ada.organization)).sort()).toEqual(["admin", "member", "owner"]);
  });
});

test("members see each other, page by page, and nothing secret", async () => {
  const ada = await insider("owner");
  const bob = await insider("viewer", ada.organization);
  const first = await bob.api.organization.members.list({ limit: 1 });
  const second = await bob.api.organization.members.list({ limit: 1, cursor: first.nextCursor ?? "" });
  expect([...first.items, ...second.items]).toMatchObject(
    [ada, bob].map(({ memberId, user, organization: _ }) => ({ id: memberId, userId: user.id, email: user.email })),
  );
  expect(Object.keys(first.items[0] ?? {}).sort()).toEqual(
    ["createdAt", "email", "id", "image", "name", "role", "userId"].sort(),
  );
});
