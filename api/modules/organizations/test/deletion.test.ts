import { describe, expect, test } from "vitest";
import { signIn } from "../../../test/actors.ts";
import { auditOf } from "../../../test/audit.ts";
import { expectRefusal, refusal } from "../../../test/errors.ts";
import { ownerSql } from "../../../test/owner.ts";
import { insider, invited, rolesIn } from "./places.ts";

const tables = ["organization", "member", "team", "team_member", "invitation", "audit_log"];

/** How many rows of each table speak of the organization. */
async function rowsOf(organizationId: string): Promise<Record<string, number>> {
  const counts = tables.map(
    (table) =>
      `(select count(*)::int from ${table} where ${table === "organization" ? "id" : "organization_id"} = $1) as ${table}`,
  );
  return (await ownerSql(`select ${counts.join(", ")}`, [organizationId])).rows[0];
}

async function furnished() {
  const ada = await insider("owner");
  const bob = await insider("admin", ada.organization);
  const { id: teamId } = await bob.api.organization.teams.create({ name: "Crew" });
  await bob.api.organization.teams.addMember({ teamId, memberId: bob.memberId });
  const { guest, invitationId } = await invited(bob, { teamId });
  return { ada, bob, teamId, guest, invitationId };
}

test("whoever founds an organization while they delete their account leaves none without a member", async () => {
  for (let round = 0; round < 6; round++) {
    const { api } = await signIn();
    const [founded, gone] = await Promise.allSettled([api.organization.create({ name: "Late" }), api.user.delete()]);
    expect(gone.status).toBe("fulfilled");
    if (founded.status === "rejected") {
      expect((await refusal(Promise.reject(founded.reason))).code).toBe("UNAUTHENTICATED");
      continue;
    }
    const { rows } = await ownerSql("select id from organization where id = $1 and deleted_at is null", [
      founded.value.id,
    ]);
    expect(rows).toEqual([]);
  }
});

test("deleting an organization for good takes all that it held; the log stays", async () => {
  const { ada } = await furnished();
  const full = { organization: 1, member: 2, team: 1, team_member: 1, invitation: 1, audit_log: 3 };
  expect(await rowsOf(ada.organization.id)).toEqual(full);
  await ownerSql("delete from organization where id = $1", [ada.organization.id]);
  const gone = Object.fromEntries(tables.map((table) => [table, 0]));
  expect(await rowsOf(ada.organization.id)).toEqual({ ...gone, audit_log: 3 });
  expect(await ada.api.user.update({ name: "Still here" }).catch(({ code }) => code)).toBe("FORBIDDEN");
});

test("deleting a user takes their memberships; teams, invitations that they sent and the log stay", async () => {
  const { ada, bob, guest, invitationId } = await furnished();
  await bob.api.user.delete();
  const left = { organization: 1, member: 1, team: 1, team_member: 0, invitation: 1, audit_log: 4 };
  expect(await rowsOf(ada.organization.id)).toEqual(left);
  const { rows } = await ownerSql("select inviter_id, status from invitation where id = $1", [invitationId]);
  expect(rows).toEqual([{ inviter_id: null, status: "pending" }]);
  expect(await guest.api.organization.invitations.accept({ invitationId })).toMatchObject({ joined: true });
  expect(await auditOf(bob.memberId)).toMatchObject([
    { action: "member.leave", actorId: bob.user.id, before: { role: "admin" }, organizationId: ada.organization.id },
  ]);
  expect(await auditOf(bob.user.id)).toMatchObject([{ action: "user.delete", organizationId: null }]);
});

describe("an account", () => {
  test("of the last owner stays while others are in the organization, whatever the request speaks for", async () => {
    const ada = await insider("owner");
    const bob = await insider("admin", ada.organization);
    await expectRefusal(ada.api.user.delete(), "CONFLICT", "last_owner");
    const { "x-organization": _, ...headers } = ada.headers;
    expect(headers).toHaveProperty("authorization");
    expect(await ada.api.user.me()).toMatchObject({ id: ada.user.id });
    expect([await auditOf(ada.user.id), await auditOf(ada.memberId)]).toEqual([[], []]);
    await ada.api.organization.transferOwnership({ memberId: bob.memberId });
    await ada.api.user.delete();
    expect(await rolesIn(ada.organization)).toEqual({ [bob.memberId]: "owner" });
  });

  test("that is alone in an organization takes it along, restorable by nobody", async () => {
    const ada = await insider("owner");
    await ada.api.user.delete();
    expect(await rowsOf(ada.organization.id)).toMatchObject({ organization: 1, member: 0 });
    const { rows } = await ownerSql("select deleted_at from organization where id = $1", [ada.organization.id]);
    expect(rows[0].deleted_at).not.toBeNull();
    expect((await auditOf(ada.organization.id)).map(({ action }) => action)).toEqual(["organization.delete"]);
  });

  test("exports its memberships, invitations and changes", async () => {
    const { ada, guest, invitationId } = await furnished();
    expect(await ada.api.user.export()).toMatchObject({
      organizations: [{ id: ada.organization.id, role: "owner" }],
      invitations: [],
    });
    expect(await guest.api.user.export()).toMatchObject({ organizations: [], invitations: [{ id: invitationId }] });
  });
});
