import { auditLog, eq, organizationPrefixes } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { expect, test } from "vitest";
import { signIn } from "../../../test/actors.ts";
import { measure, procedures } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { withOwner } from "../../../test/owner.ts";
import { furnished, isolation } from "./isolation.ts";
import { insider } from "./places.ts";

// Every procedure against visitors, other tenants, their ids and too low a role: api/test/isolation.

const cases = Object.entries(isolation.procedures);

test.each(cases)("%s leaves one audit row if it writes", async (path, { input, prepare, rightful }) => {
  const place = await furnished();
  await prepare?.(place);
  const { headers } = rightful?.(place) ?? place.host;
  const { host, guest, other } = place;
  const actors = [host, guest, other].map(({ user }) => user.id);
  const rows = () =>
    withOwner(async (db) =>
      (await Promise.all(actors.map((id) => db.$count(auditLog, eq(auditLog.actorId, id))))).reduce(
        (sum, count) => sum + count,
        0,
      ),
    );
  const before = await rows();
  await measure(headers, path, input?.(place));
  // Two people's roles change.
  const written = path === "organization.transferOwnership" ? 2 : 1;
  expect((await rows()) - before).toBe(procedures[path]?._def.type === "query" ? 0 : written);
});

test("ids that nobody has are NOT_FOUND too", async () => {
  const { api } = await insider("owner");
  const teamId = newId(organizationPrefixes.team);
  const memberId = newId(organizationPrefixes.member);
  await expectRefusal(api.organization.members.remove({ memberId }), "NOT_FOUND");
  await expectRefusal(api.organization.teams.delete({ teamId }), "NOT_FOUND");
  await expectRefusal(api.organization.teams.addMember({ teamId, memberId }), "NOT_FOUND");
});

test("another tenant's cursor and filters show nothing of theirs", async () => {
  const place = await furnished();
  const eve = await insider("owner");
  const { api } = eve;
  const ids = (page: { items: { id: string }[] }) => page.items.map(({ id }) => id);
  expect(ids(await api.organization.members.list({ cursor: "mem_0" }))).toEqual([eve.memberId]);
  expect(ids(await api.organization.teams.list({ cursor: "team_0" }))).toEqual([]);
  expect(ids(await api.organization.invitations.list({ cursor: `${place.invitationId}z` }))).toEqual([]);
  expect(ids(await api.organization.audit.list({ target: place.teamId }))).toEqual([]);
  expect(ids(await (await signIn()).api.organization.list({ cursor: "org_0" }))).toEqual([]);
});
