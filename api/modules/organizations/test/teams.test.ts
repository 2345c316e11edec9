import { eq, invitation, team } from "@repo/db";
import { expect, test } from "vitest";
import { drizzleOver } from "../../../core/database/doors.ts";
import { joinOrganization } from "../../../test/actors.ts";
import { auditOf } from "../../../test/audit.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { withOwner } from "../../../test/owner.ts";
import { teamMemberIds } from "../queries.ts";
import { insider, invited } from "./places.ts";

test("a team is made, renamed and listed; its name is taken once per organization", async () => {
  const ada = await insider("admin");
  const { create, update, list } = ada.api.organization.teams;
  const crew = await create({ name: "Crew" });
  const other = await create({ name: "Other" });
  expect(await expectRefusal(create({ name: " Crew " }), "CONFLICT", "name_taken")).toMatchObject({ field: "name" });
  await expectRefusal(update({ teamId: other.id, name: "Crew" }), "CONFLICT", "name_taken");
  await expectRefusal(create({ id: crew.id, name: "New" }), "CONFLICT", "id_taken");
  expect(await update({ teamId: crew.id, name: "Flight crew" })).toMatchObject({ id: crew.id, name: "Flight crew" });
  const first = await list({ limit: 1 });
  const second = await list({ limit: 1, cursor: first.nextCursor ?? "" });
  expect([...first.items, ...second.items]).toMatchObject([
    { id: crew.id, name: "Flight crew", memberIds: [] },
    { id: other.id, name: "Other" },
  ]);
  expect(await auditOf(crew.id)).toMatchObject([
    { action: "team.create", before: null, after: { name: "Crew" } },
    { action: "team.update", before: { name: "Crew" }, after: { name: "Flight crew" } },
  ]);
  expect(await auditOf(other.id)).toHaveLength(1);
  await (await insider("owner")).api.organization.teams.create({ name: "Crew" });
});

test("members of the organization alone join a team, once, and leave it with the organization", async () => {
  const ada = await insider("owner");
  const bob = await insider("member", ada.organization);
  const eve = await insider("owner");
  const { id: teamId } = await ada.api.organization.teams.create({ name: "Crew" });
  const { addMember, removeMember, list } = ada.api.organization.teams;
  await addMember({ teamId, memberId: bob.memberId });
  await expectRefusal(addMember({ teamId, memberId: bob.memberId }), "CONFLICT", "already_in_team");
  await expectRefusal(addMember({ teamId, memberId: eve.memberId }), "NOT_FOUND");
  await removeMember({ teamId, memberId: bob.memberId });
  await expectRefusal(removeMember({ teamId, memberId: bob.memberId }), "NOT_FOUND");
  await addMember({ teamId, memberId: bob.memberId });
  await bob.api.organization.leave();
  expect((await list({})).items).toMatchObject([{ id: teamId, memberIds: [] }]);
  expect((await auditOf(teamId)).map(({ action }) => action)).toEqual([
    "team.create",
    "team.addMember",
    "team.removeMember",
    "team.addMember",
  ]);
});

test("deleting a team keeps its members, and its invitations become the organization's", async () => {
  const ada = await insider("owner");
  const { id: teamId } = await ada.api.organization.teams.create({ name: "Crew" });
  await ada.api.organization.teams.addMember({ teamId, memberId: ada.memberId });
  const { guest, invitationId } = await invited(ada, { teamId });
  await ada.api.organization.teams.delete({ teamId });
  await expectRefusal(ada.api.organization.teams.delete({ teamId }), "NOT_FOUND");
  const [row] = await withOwner((db) => db.select().from(invitation).where(eq(invitation.id, invitationId)));
  expect(row).toMatchObject({ teamId: null, status: "pending" });
  expect(await guest.api.organization.invitations.accept({ invitationId })).toMatchObject({ joined: true });
  expect((await ada.api.organization.members.list({})).items).toHaveLength(2);
});

test("each team is listed with its own members, whoever else is in other teams and organizations", async () => {
  const ada = await insider("owner");
  const bob = await insider("member", ada.organization);
  const abroad = await joinOrganization(bob, "owner");
  const crews = { none: [], one: [bob], both: [ada, bob] };
  for (const [name, members] of Object.entries(crews)) {
    const { id: teamId } = await ada.api.organization.teams.create({ name });
    for (const { memberId } of members) await ada.api.organization.teams.addMember({ teamId, memberId });
  }
  const { id: teamId } = await abroad.api.organization.teams.create({ name: "one" });
  await abroad.api.organization.teams.addMember({ teamId, memberId: abroad.memberId });
  const listed = async ({ api }: typeof ada) =>
    Object.fromEntries((await api.organization.teams.list({})).items.map((item) => [item.name, item.memberIds]));
  const expected = { none: [], one: [bob.memberId], both: [ada.memberId, bob.memberId].sort() };
  expect(await listed(ada)).toEqual(expected);
  expect(await listed(bob)).toEqual(expected);
  expect(await listed(abroad)).toEqual({ one: [abroad.memberId] });
});

test("a team's members are looked up by the team's own columns", () => {
  const { sql } = drizzleOver({ query: undefined }).select({ ids: teamMemberIds }).from(team).toSQL();
  expect(sql).toContain('"team_member"."organization_id" = "team"."organization_id"');
  expect(sql).toContain('"team_member"."team_id" = "team"."id"');
});
