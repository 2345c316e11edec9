import { eq, invitation, teamMember } from "@repo/db";
import { describe, expect, test } from "vitest";
import { listOutbox } from "../../../core/mail/outbox.ts";
import { makeUser, openSession, signIn } from "../../../test/actors.ts";
import { auditOf } from "../../../test/audit.ts";
import { apiFor } from "../../../test/call.ts";
import { testRuntime } from "../../../test/context.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { cleanUpOrganizations } from "../cron.ts";
import { expire, insider, invited, membershipOf, newAddress, rolesIn } from "./places.ts";

const statusOf = async (id: string) =>
  (await withOwner((db) => db.select().from(invitation).where(eq(invitation.id, id))))[0]?.status;
const mailsTo = (email: string) => listOutbox(testRuntime().env.FILES, email);

describe("accepting", () => {
  test("joins the organization and the team with the role offered, and is mailed, listed and written down", async () => {
    const host = await insider("owner");
    const { id: teamId } = await host.api.organization.teams.create({ name: "Crew" });
    const { guest, invitationId } = await invited(host, { role: "viewer", teamId });
    await expect.poll(async () => (await mailsTo(guest.user.email)).length).toBe(1);
    const [mail] = await mailsTo(guest.user.email);
    expect(mail?.text).toContain(`/invitations/${invitationId}`);
    expect(mail?.text).toContain(host.user.email);
    expect(mail?.text).not.toContain(host.organization.name);
    expect(await guest.api.organization.invitations.mine()).toMatchObject([
      { id: invitationId, role: "viewer", organization: { id: host.organization.id, name: "Test" } },
    ]);
    const answer = await guest.api.organization.invitations.accept({ invitationId });
    expect(answer).toMatchObject({ organizationId: host.organization.id, role: "viewer", teamId, joined: true });
    expect(await membershipOf(guest.user.id, host.organization.id)).toMatchObject({
      id: answer.memberId,
      role: "viewer",
    });
    expect((await host.api.organization.teams.list({})).items).toMatchObject([{ memberIds: [answer.memberId] }]);
    expect(await guest.api.organization.invitations.mine()).toEqual([]);
    expect((await auditOf(invitationId)).map(({ action, actorId }) => [action, actorId])).toEqual([
      ["invitation.create", host.user.id],
      ["invitation.accept", guest.user.id],
    ]);
    await expectRefusal(guest.api.organization.invitations.accept({ invitationId }), "CONFLICT", "invitation_accepted");
  });

  test("works for its address alone, and only once that is verified", async () => {
    const host = await insider("owner");
    const { guest, invitationId } = await invited(host);
    const eve = await signIn();
    await expectRefusal(eve.api.organization.invitations.accept({ invitationId }), "NOT_FOUND");
    await expectRefusal(eve.api.organization.invitations.reject({ invitationId }), "NOT_FOUND");
    await ownerSql(`update "user" set email_verified = false where id = $1`, [guest.user.id]);
    await expectRefusal(guest.api.organization.invitations.accept({ invitationId }), "FORBIDDEN", "email_not_verified");
    expect(await guest.api.organization.invitations.mine()).toEqual([]);
    expect(await statusOf(invitationId)).toBe("pending");
    expect(Object.keys(await rolesIn(host.organization))).toEqual([host.memberId]);
  });

  test.each([
    ["expired", (_: unknown, id: string) => expire(id)],
    [
      "cancelled",
      (host: Awaited<ReturnType<typeof insider>>, invitationId: string) =>
        host.api.organization.invitations.cancel({ invitationId }),
    ],
  ] as const)("an invitation that is %s opens nothing", async (status, close) => {
    const host = await insider("owner");
    const { guest, invitationId } = await invited(host);
    await close(host, invitationId);
    const { accept, reject } = guest.api.organization.invitations;
    await expectRefusal(accept({ invitationId }), "CONFLICT", `invitation_${status}`);
    if (status === "cancelled") await expectRefusal(reject({ invitationId }), "CONFLICT", "invitation_cancelled");
    expect(await guest.api.organization.invitations.mine()).toEqual([]);
    expect(Object.keys(await rolesIn(host.organization))).toEqual([host.memberId]);
    expect((await host.api.organization.invitations.list({ status })).items).toMatchObject([
      { id: invitationId, status },
    ]);
  });

  test("an invitation of a deleted organization opens nothing", async () => {
    const host = await insider("owner");
    const { guest, invitationId } = await invited(host);
    await host.api.organization.delete();
    expect(await guest.api.organization.invitations.mine()).toEqual([]);
    await expectRefusal(guest.api.organization.invitations.accept({ invitationId }), "NOT_FOUND");
  });

  test.each(["owner", "viewer"] as const)("never changes the role of somebody who is %s already", async (role) => {
    const host = await insider("owner");
    const { id: teamId } = await host.api.organization.teams.create({ name: "Crew" });
    const guest = await signIn();
    const { id: invitationId } = await host.api.organization.invitations.create({
      email: guest.user.email,
      role: "member",
      teamId,
    });
    await ownerSql("insert into member (id, organization_id, user_id, role) values ($1, $2, $3, $4)", [
      `mem_${guest.user.id}`,
      host.organization.id,
      guest.user.id,
      role,
    ]);
    expect(await guest.api.organization.invitations.accept({ invitationId })).toMatchObject({ role, joined: false });
    expect(await membershipOf(guest.user.id, host.organization.id)).toMatchObject({ role });
    const inTeam = await withOwner((db) => db.select().from(teamMember).where(eq(teamMember.teamId, teamId)));
    expect(inTeam).toMatchObject([{ memberId: `mem_${guest.user.id}` }]);
    expect(await statusOf(invitationId)).toBe("accepted");
  });

  test.each([1, 2, 3, 4, 5])("twice at once makes one membership (round %i)", async () => {
    const host = await insider("owner");
    const { guest, invitationId } = await invited(host);
    const attempts = [1, 2, 3].map(() => guest.api.organization.invitations.accept({ invitationId }));
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(Object.keys(await rolesIn(host.organization))).toHaveLength(2);
    expect((await auditOf(invitationId)).map(({ action }) => action)).toEqual([
      "invitation.create",
      "invitation.accept",
    ]);
  });
});

describe("the plan's limit", () => {
  const limitTo = (seats: number, id: string) =>
    ownerSql("update organization set member_limit = $2 where id = $1", [id, seats]);

  test("open invitations count as seats", async () => {
    const host = await insider("owner");
    await limitTo(2, host.organization.id);
    const first = await host.api.organization.invitations.create({ email: newAddress() });
    const { create } = host.api.organization.invitations;
    await expectRefusal(create({ email: newAddress() }), "CONFLICT", "member_limit");
    await host.api.organization.invitations.cancel({ invitationId: first.id });
    await create({ email: newAddress() });
    expect((await host.api.organization.invitations.list({})).items).toHaveLength(2);
  });

  test("holds when more people accept at once than there are seats", async () => {
    const host = await insider("owner");
    const guests = await Promise.all([1, 2, 3, 4].map(() => invited(host)));
    await limitTo(3, host.organization.id);
    const outcomes = await Promise.allSettled(
      guests.map(({ guest, invitationId }) => guest.api.organization.invitations.accept({ invitationId })),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    expect(Object.keys(await rolesIn(host.organization))).toHaveLength(3);
    const late = guests[outcomes.findIndex(({ status }) => status === "rejected")];
    const invitationId = late?.invitationId ?? "";
    const again = late?.guest.api.organization.invitations.accept({ invitationId });
    await expectRefusal(Promise.resolve(again), "CONFLICT", "member_limit");
    expect(await statusOf(invitationId)).toBe("pending");
  });
});

describe("inviting", () => {
  test("one pending invitation per address, however it is written; a closed or expired one makes room", async () => {
    const host = await insider("admin");
    const email = newAddress();
    const { create, cancel } = host.api.organization.invitations;
    const { id } = await create({ email });
    await expectRefusal(create({ email: email.toUpperCase() }), "CONFLICT", "already_invited");
    await expire(id);
    const second = await create({ email });
    expect(await statusOf(id)).toBe("expired");
    await cancel({ invitationId: second.id });
    await create({ email });
    await (await insider("owner")).api.organization.invitations.create({ email });
  });

  test("refuses an address that a member has, a team of elsewhere, and a role above one's own", async () => {
    const host = await insider("admin");
    const fellow = await insider("viewer", host.organization);
    const { create } = host.api.organization.invitations;
    await expectRefusal(create({ email: fellow.user.email }), "CONFLICT", "already_member");
    await expectRefusal(create({ email: newAddress(), role: "owner" }), "FORBIDDEN", "role_too_low");
    await expectRefusal(create({ email: "not an address" }), "BAD_REQUEST");
    const elsewhere = await (await insider("owner")).api.organization.teams.create({ name: "Theirs" });
    await expectRefusal(create({ email: newAddress(), teamId: elsewhere.id }), "NOT_FOUND");
    expect((await host.api.organization.invitations.list({})).items).toEqual([]);
  });

  test("asks for a verified address of whoever invites", async () => {
    const host = await insider("owner");
    await ownerSql(`update "user" set email_verified = false where id = $1`, [host.user.id]);
    await expectRefusal(
      host.api.organization.invitations.create({ email: newAddress() }),
      "FORBIDDEN",
      "email_not_verified",
    );
  });

  test("an admin neither resends nor cancels an invitation to be owner", async () => {
    const owner = await insider("owner");
    const admin = await insider("admin", owner.organization);
    const { invitationId } = await invited(owner, { role: "owner" });
    await expectRefusal(admin.api.organization.invitations.resend({ invitationId }), "FORBIDDEN");
    await expectRefusal(admin.api.organization.invitations.cancel({ invitationId }), "FORBIDDEN");
    expect(await statusOf(invitationId)).toBe("pending");
  });

  test("resend mails again and renews an expired one; a closed one is CONFLICT", async () => {
    const host = await insider("owner");
    const { guest, invitationId } = await invited(host);
    await expire(invitationId);
    const renewed = await host.api.organization.invitations.resend({ invitationId });
    expect(renewed).toMatchObject({ id: invitationId, status: "pending" });
    expect(renewed.expiresAt.getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    await expect.poll(async () => (await mailsTo(guest.user.email)).length).toBe(2);
    await guest.api.organization.invitations.reject({ invitationId });
    expect(await statusOf(invitationId)).toBe("rejected");
    expect((await auditOf(invitationId)).at(-1)).toMatchObject({
      action: "invitation.reject",
      actorId: guest.user.id,
      organizationId: host.organization.id,
    });
    const { resend, cancel } = host.api.organization.invitations;
    await expectRefusal(resend({ invitationId }), "CONFLICT", "invitation_rejected");
    await expectRefusal(cancel({ invitationId }), "CONFLICT", "invitation_rejected");
  });

  test("an account made afterwards with the address can take it up", async () => {
    const host = await insider("owner");
    const email = newAddress();
    const { id: invitationId } = await host.api.organization.invitations.create({ email });
    const { bearer } = await openSession((await makeUser({ email })).id);
    const guest = apiFor({ authorization: `Bearer ${bearer}` });
    expect(await guest.organization.invitations.accept({ invitationId })).toMatchObject({ joined: true });
  });
});

test("every night, invitations that nobody took up are closed", async () => {
  const host = await insider("owner");
  const { invitationId: late } = await invited(host);
  const { invitationId: open } = await invited(host);
  await expire(late);
  await cleanUpOrganizations(testRuntime());
  expect([await statusOf(late), await statusOf(open)]).toEqual(["expired", "pending"]);
});
