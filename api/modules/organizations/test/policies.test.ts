import {
  auditLog,
  eq,
  invitation,
  isNull,
  member,
  type NewAuditLog,
  organization,
  session,
  team,
  teamMember,
  user,
} from "@repo/db";
import { describe, expect, test } from "vitest";
import type { Tx } from "../../../core/database/doors.ts";
import { type Actor, rls } from "../../../core/database/rls.ts";
import { joinOrganization, signIn } from "../../../test/actors.ts";
import { withContext } from "../../../test/context.ts";
import { ownerSql } from "../../../test/owner.ts";
import { insider, invited, rolesIn } from "./places.ts";

type Speaker = Omit<Actor, "readOnly">;

/** What the policies alone allow, past procedures and services. */
function as<T>(actor: Speaker, work: (tx: Tx) => Promise<T>): Promise<T> {
  return withContext({}, ({ dbDirect }) => rls(dbDirect, actor, work));
}
function speakingFor(sub: string, org?: string): Speaker {
  return { role: "authenticated", claims: org ? { sub, org } : { sub } };
}

async function places() {
  const host = await insider("owner");
  const fellow = await insider("admin", host.organization);
  const stranger = await insider("owner");
  const { id: teamId } = await host.api.organization.teams.create({ name: "Crew" });
  await host.api.organization.teams.addMember({ teamId, memberId: fellow.memberId });
  const { guest, invitationId } = await invited(host);
  const org = host.organization.id;
  return {
    org,
    host,
    fellow,
    stranger,
    teamId,
    guest,
    invitationId,
    inside: speakingFor(host.user.id, org),
    outside: speakingFor(stranger.user.id, stranger.organization.id),
  };
}

const tenantTables = { member, team, teamMember, invitation, auditLog } as const;
const names = Object.keys(tenantTables) as (keyof typeof tenantTables)[];

/** SQLSTATE of a write that must fail. */
async function stateOf(write: Promise<unknown>): Promise<unknown> {
  const outcome = await write.then(
    () => "done",
    (error: unknown) => error,
  );
  const cause = outcome instanceof Error ? (outcome.cause ?? outcome) : outcome;
  return cause instanceof Error && "code" in cause ? cause.code : outcome;
}

describe("rows of a tenant", () => {
  test.each(names)("%s: the claimed organization's and no other's", async (name) => {
    const { org, inside, outside } = await places();
    const table = tenantTables[name];
    const seen = (actor: Speaker) => as(actor, (tx) => tx.select({ organizationId: table.organizationId }).from(table));
    expect(new Set((await seen(inside)).map((row) => row.organizationId))).toEqual(new Set([org]));
    const elsewhere = await seen(outside);
    expect(elsewhere.filter((row) => row.organizationId === org)).toEqual([]);
  });

  test("can be neither changed nor deleted from another organization", async () => {
    const { org, outside, inside, teamId, host, invitationId } = await places();
    const touched = (actor: Speaker) =>
      as(actor, async (tx) => [
        (await tx.update(organization).set({ name: "x" }).where(eq(organization.id, org)).returning()).length,
        (await tx.update(member).set({ role: "owner" }).where(eq(member.id, host.memberId)).returning()).length,
        (await tx.update(team).set({ name: "x" }).where(eq(team.id, teamId)).returning()).length,
        (await tx.update(invitation).set({ status: "cancelled" }).where(eq(invitation.id, invitationId)).returning())
          .length,
        (await tx.delete(teamMember).where(eq(teamMember.teamId, teamId)).returning()).length,
        (await tx.delete(team).where(eq(team.id, teamId)).returning()).length,
        (await tx.delete(member).where(eq(member.id, host.memberId)).returning()).length,
      ]);
    expect(await touched(outside)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(await touched(inside)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  test("one's membership elsewhere is seen, and neither changed nor given up from here", async () => {
    const { org, host, stranger, outside } = await places();
    const elsewhere = await joinOrganization(stranger, "viewer", host.organization);
    const own = eq(member.userId, stranger.user.id);
    const touched = await as(outside, async (tx) => [
      (await tx.select({ id: member.id }).from(member).where(own)).length,
      (await tx.update(member).set({ role: "owner" }).where(own).returning({ id: member.id })).length,
      (await tx.delete(member).where(own).returning({ id: member.id })).length,
    ]);
    expect(touched).toEqual([2, 1, 1]);
    expect(await rolesIn(host.organization)).toMatchObject({ [elsewhere.memberId]: "viewer" });
    expect(elsewhere.organization.id).toBe(org);
  });

  test("cannot be put into another organization, nor moved there", async () => {
    const { org, outside, teamId, host, stranger } = await places();
    const far = new Date(Date.now() + 86_400_000);
    const own = await stranger.api.organization.teams.create({ name: "Own" });
    const writes: ((tx: Tx) => Promise<unknown>)[] = [
      async (tx) => tx.insert(team).values({ organizationId: org, name: "Planted" }),
      async (tx) => tx.insert(teamMember).values({ organizationId: org, teamId, memberId: host.memberId }),
      async (tx) =>
        tx.insert(invitation).values({ organizationId: org, email: "x@example.com", role: "owner", expiresAt: far }),
      async (tx) => tx.insert(member).values({ organizationId: org, userId: stranger.user.id, role: "owner" }),
      async (tx) => tx.insert(organization).values({ name: "x", slug: "planted" }),
      async (tx) => tx.update(team).set({ organizationId: org }).where(eq(team.id, own.id)),
      async (tx) => tx.update(member).set({ organizationId: org }).where(eq(member.id, stranger.memberId)),
      async (tx) => tx.update(organization).set({ memberLimit: 1000 }),
    ];
    for (const write of writes) expect(await stateOf(as(outside, write))).toBe("42501");
    const foreign = { organizationId: stranger.organization.id, teamId, memberId: stranger.memberId };
    expect(await stateOf(as(outside, async (tx) => tx.insert(teamMember).values(foreign)))).toBe("23503");
  });
});

describe("organizations and people", () => {
  const idsOf = (actor: Speaker) =>
    as(actor, async (tx) => (await tx.select({ id: organization.id }).from(organization)).map(({ id }) => id));

  test("one sees the claimed organization, those one has joined, and those that invite one's verified address", async () => {
    const { org, host, guest, stranger } = await places();
    const nobody = await signIn();
    expect(await idsOf(speakingFor(nobody.user.id))).toEqual([]);
    expect(await idsOf({ role: "authenticated", claims: { org } })).toEqual([org]);
    expect(await idsOf(speakingFor(host.user.id))).toEqual([org]);
    expect(await idsOf(speakingFor(stranger.user.id))).toEqual([stranger.organization.id]);
    expect(await idsOf(speakingFor(guest.user.id))).toEqual([org]);
    await ownerSql(`update "user" set email_verified = false where id = $1`, [guest.user.id]);
    expect(await idsOf(speakingFor(guest.user.id))).toEqual([]);
  });

  test("an invitation is seen by its address alone, and its organization only while it is open", async () => {
    const { guest, host, invitationId } = await places();
    const own = (sub: string) => as(speakingFor(sub), (tx) => tx.select({ id: invitation.id }).from(invitation));
    expect(await own(guest.user.id)).toEqual([{ id: invitationId }]);
    expect(await own((await signIn()).user.id)).toEqual([]);
    await host.api.organization.invitations.cancel({ invitationId });
    expect(await idsOf(speakingFor(guest.user.id))).toEqual([]);
  });

  test("without a claim, owners alone change what they own", async () => {
    const { org, host, fellow } = await places();
    const rename = (sub: string) =>
      as(speakingFor(sub), (tx) => tx.update(organization).set({ name: "x" }).returning({ id: organization.id }));
    expect(await rename(fellow.user.id)).toEqual([]);
    expect(await rename(host.user.id)).toEqual([{ id: org }]);
  });

  test("one sees oneself, and fellows in the claimed organization alone", async () => {
    const { host, fellow, inside, stranger } = await places();
    const people = (actor: Speaker) =>
      as(actor, async (tx) => (await tx.select({ id: user.id }).from(user)).map(({ id }) => id).sort());
    expect(await people(inside)).toEqual([host.user.id, fellow.user.id].sort());
    expect(await people(speakingFor(host.user.id))).toEqual([host.user.id]);
    expect(await people(speakingFor(stranger.user.id, stranger.organization.id))).toEqual([stranger.user.id]);
    expect(await stateOf(as(inside, async (tx) => tx.select({ banned: user.banned }).from(user)))).toBe("42501");
  });

  test("one's own memberships show without a claim; one's own session alone can be pointed elsewhere", async () => {
    const { org, host, fellow } = await places();
    const without = speakingFor(host.user.id);
    const memberships = await as(without, (tx) =>
      tx.select({ id: member.id, org: member.organizationId }).from(member),
    );
    expect(memberships).toEqual([{ id: host.memberId, org }]);
    const point = await as(without, (tx) =>
      tx.update(session).set({ activeOrganizationId: org }).returning({ userId: session.userId }),
    );
    expect(new Set(point.map(({ userId }) => userId))).toEqual(new Set([host.user.id]));
    // A blind update asks no policy for reading.
    await as(without, async (tx) => tx.update(session).set({ activeOrganizationId: org }));
    const { rows } = await ownerSql("select active_organization_id as at from session where id = $1", [
      fellow.sessionId,
    ]);
    expect(rows).toEqual([{ at: null }]);
  });

  test.each(["support", "admin"] as const)("%s sees every tenant's rows and changes none", async (role) => {
    const { org } = await places();
    const staff: Speaker = { role, claims: { sub: (await signIn({ role })).user.id, role } };
    for (const name of names) {
      const table = tenantTables[name];
      const rows = await as(staff, (tx) => tx.select().from(table).where(eq(table.organizationId, org)));
      expect(rows.length).toBeGreaterThan(0);
    }
    expect(await idsOf(staff)).toContain(org);
    expect(await stateOf(as(staff, async (tx) => tx.delete(team)))).toBe("42501");
    expect(await stateOf(as(staff, async (tx) => tx.update(member).set({ role: "owner" })))).toBe("42501");
  });
});

describe("the audit log", () => {
  const entry: NewAuditLog = { action: "x.y", target: "t", requestId: "r" };
  const write = (actor: Speaker, values: Partial<NewAuditLog>) =>
    stateOf(as(actor, async (tx) => tx.insert(auditLog).values({ ...entry, ...values })));

  test("is written in one's own name, for oneself or for where one belongs", async () => {
    const { org, host, guest, stranger, inside, outside, fellow } = await places();
    const actorId = host.user.id;
    expect(await write(inside, { actorId })).toBe("done");
    expect(await write(inside, { actorId, organizationId: org })).toBe("done");
    expect(await write(speakingFor(actorId), { actorId, organizationId: org })).toBe("done");
    expect(await write(speakingFor(guest.user.id), { actorId: guest.user.id, organizationId: org })).toBe("done");
    // Whoever has just left still has the claim.
    const gone = await signIn();
    expect(await write(speakingFor(gone.user.id, org), { actorId: gone.user.id, organizationId: org })).toBe("done");
    expect(await write(inside, { actorId: fellow.user.id, organizationId: org })).toBe("42501");
    expect(await write(inside, { actorId: null, organizationId: org })).toBe("42501");
    expect(await write(outside, { actorId: stranger.user.id, organizationId: org })).toBe("42501");
    const { id } = (await signIn({ role: "support" })).user;
    const staff: Speaker = { role: "support", claims: { sub: id, role: "support" } };
    expect(await write(staff, { actorId: id, organizationId: org })).toBe("done");
    expect(await write(staff, { actorId, organizationId: org })).toBe("42501");
    expect(await write({ role: "anonymous", claims: {} }, {})).toBe("42501");
  });

  test("names the API key that a change came through, and no other", async () => {
    const { org, host, stranger, inside } = await places();
    const [keyId, other, actorId] = ["key_a", "key_b", host.user.id];
    const ofOrganization: Speaker = { role: "authenticated", claims: { org, key: keyId } };
    expect(await write(ofOrganization, { keyId, organizationId: org })).toBe("done");
    expect(await write(ofOrganization, { keyId: other, organizationId: org })).toBe("42501");
    expect(await write(ofOrganization, { organizationId: org })).toBe("42501");
    expect(await write(ofOrganization, { keyId })).toBe("42501");
    expect(await write(ofOrganization, { keyId, organizationId: stranger.organization.id })).toBe("42501");
    expect(await write(ofOrganization, { keyId, actorId, organizationId: org })).toBe("42501");
    const ofUser: Speaker = { role: "authenticated", claims: { sub: actorId, key: keyId } };
    expect(await write(ofUser, { actorId, keyId })).toBe("done");
    expect(await write(ofUser, { actorId })).toBe("42501");
    expect(await write(ofUser, { keyId, organizationId: org })).toBe("42501");
    expect(await write(inside, { actorId, keyId })).toBe("42501");
    const staff: Speaker = { role: "admin", claims: { sub: actorId, role: "admin" } };
    expect(await write(staff, { actorId, keyId })).toBe("42501");
  });

  test("shows a person's own entries to them alone", async () => {
    const { host, fellow, inside } = await places();
    await host.api.user.update({ name: "Renamed" });
    const own = (actor: Speaker) =>
      as(actor, (tx) => tx.select({ target: auditLog.target }).from(auditLog).where(isNull(auditLog.organizationId)));
    expect(await own(inside)).toEqual([{ target: host.user.id }]);
    expect(await own(speakingFor(fellow.user.id, host.organization.id))).toEqual([]);
  });

  test("can be changed and deleted by no role", async () => {
    const { rows } = await ownerSql(`
      select grantee from information_schema.role_table_grants
      where table_name = 'audit_log' and privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE') and grantee <> current_user`);
    expect(rows).toEqual([]);
    const { inside } = await places();
    expect(await stateOf(as(inside, async (tx) => tx.update(auditLog).set({ action: "x" })))).toBe("42501");
    expect(await stateOf(as(inside, async (tx) => tx.delete(auditLog)))).toBe("42501");
  });
});
