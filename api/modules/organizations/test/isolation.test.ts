import { auditLog, eq, type MemberRole, memberRoles, organizationPrefixes } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { describe, expect, test } from "vitest";
import { signIn, unique } from "../../../test/actors.ts";
import { measure, procedures } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { type Insider, insider, invited, newAddress } from "./places.ts";

/** An organization with one of everything. */
async function furnished() {
  const host = await insider("owner");
  const other = await insider("member", host.organization);
  const outsideTeam = await insider("member", host.organization);
  const team = await host.api.organization.teams.create({ name: "Crew" });
  await host.api.organization.teams.addMember({ teamId: team.id, memberId: other.memberId });
  const { guest, invitationId } = await invited(host);
  return { host, other, outsideTeam, teamId: team.id, invitationId, guest };
}
type Furnished = Awaited<ReturnType<typeof furnished>>;

interface Case {
  input: (place: Furnished) => unknown;
  /** Whether the input names something of the organization's. */
  named?: true;
  /** The roles that may; default: all. */
  roles?: readonly MemberRole[];
}

const managers = ["owner", "admin"] as const;
const forMembers: Record<string, Case> = {
  get: { input: () => undefined },
  update: { input: () => ({ name: "Renamed" }), roles: managers },
  delete: { input: () => undefined, roles: ["owner"] },
  leave: { input: () => undefined },
  transferOwnership: { input: ({ other }) => ({ memberId: other.memberId }), named: true, roles: ["owner"] },
  "members.list": { input: () => ({}) },
  "members.updateRole": {
    input: ({ other }) => ({ memberId: other.memberId, role: "viewer" }),
    named: true,
    roles: managers,
  },
  "members.remove": { input: ({ other }) => ({ memberId: other.memberId }), named: true, roles: managers },
  "invitations.list": { input: () => ({}), roles: managers },
  "invitations.create": { input: ({ teamId }) => ({ email: newAddress(), teamId }), named: true, roles: managers },
  "invitations.resend": { input: ({ invitationId }) => ({ invitationId }), named: true, roles: managers },
  "invitations.cancel": { input: ({ invitationId }) => ({ invitationId }), named: true, roles: managers },
  "teams.list": { input: () => ({}) },
  "teams.create": { input: () => ({ name: `Team ${unique()}` }), roles: managers },
  "teams.update": { input: ({ teamId }) => ({ teamId, name: "New name" }), named: true, roles: managers },
  "teams.delete": { input: ({ teamId }) => ({ teamId }), named: true, roles: managers },
  "teams.addMember": {
    input: ({ teamId, outsideTeam }) => ({ teamId, memberId: outsideTeam.memberId }),
    named: true,
    roles: managers,
  },
  "teams.removeMember": {
    input: ({ teamId, other }) => ({ teamId, memberId: other.memberId }),
    named: true,
    roles: managers,
  },
  "audit.list": { input: () => ({}), roles: managers },
};
const forUsers: Record<string, Case> = {
  list: { input: () => ({}) },
  create: { input: () => ({ name: `Company ${unique()}` }) },
  restore: { input: ({ host }) => ({ organizationId: host.organization.id }), named: true },
  setActive: { input: ({ host }) => ({ organizationId: host.organization.id }), named: true },
  "invitations.mine": { input: () => undefined },
  "invitations.accept": { input: ({ invitationId }) => ({ invitationId }), named: true },
  "invitations.reject": { input: ({ invitationId }) => ({ invitationId }), named: true },
};
const all = { ...forMembers, ...forUsers };
const paths = Object.keys(all);
const inputOf = (path: string, place: Furnished) => all[path]?.input(place);
const call = (headers: Record<string, string>, path: string, input: unknown) =>
  measure(headers, `organization.${path}`, input);

/** Everything that the organization holds, and how much has been written down of it. */
async function stateOf({ host }: Furnished) {
  const tables = ["organization", "member", "team", "team_member", "invitation", "audit_log"];
  const column = (table: string) => (table === "organization" ? "id" : "organization_id");
  const queries = tables.map(
    (table) => `select to_jsonb(t) as row from ${table} t where ${column(table)} = '${host.organization.id}'`,
  );
  return (await ownerSql(`${queries.join(" union all ")} order by 1`)).rows;
}

let made: Promise<Furnished> | undefined;
/** One for all tests in which nothing may happen to it. */
function untouched(): Promise<Furnished> {
  made ??= furnished();
  return made;
}

test("every procedure of the module is covered here", () => {
  const ours = Object.keys(procedures).filter((path) => path.startsWith("organization."));
  expect(paths.map((path) => `organization.${path}`).sort()).toEqual(ours.sort());
});

test.each(paths)("%s is refused to a visitor", async (path) => {
  const place = await untouched();
  const { "x-organization": organization = "" } = place.host.headers;
  await expectRefusal(call({ "x-organization": organization }, path, inputOf(path, place)), "UNAUTHENTICATED");
});

test.each(paths)("%s for another tenant's organization is refused and changes nothing there", async (path) => {
  const place = await untouched();
  const eve = await insider("owner");
  const before = await stateOf(place);
  const headers = { ...eve.headers, "x-organization": place.host.organization.id };
  await expectRefusal(call(headers, path, inputOf(path, place)), "FORBIDDEN", "not_a_member");
  expect(await stateOf(place)).toEqual(before);
});

test.each(paths.filter((path) => all[path]?.named))("%s with another tenant's id is NOT_FOUND", async (path) => {
  const place = await (path === "restore" ? furnished() : untouched());
  if (path === "restore") await place.host.api.organization.delete();
  const eve = await insider("owner");
  const before = await stateOf(place);
  await expectRefusal(call(eve.headers, path, inputOf(path, place)), "NOT_FOUND");
  expect(await stateOf(place)).toEqual(before);
});

test.each(Object.keys(forMembers))("%s asks for an organization", async (path) => {
  const place = await untouched();
  const { "x-organization": _, ...headers } = place.host.headers;
  await expectRefusal(call(headers, path, inputOf(path, place)), "FORBIDDEN", "no_organization");
});

describe.each(memberRoles)("a %s", (role) => {
  test.each(Object.keys(forMembers))("%s: as the table of permissions says", async (path) => {
    const allowed = (forMembers[path]?.roles ?? memberRoles).includes(role);
    const place = await (allowed ? furnished() : untouched());
    const actor = await insider(role, place.host.organization);
    const before = await stateOf(place);
    const attempt = call(actor.headers, path, inputOf(path, place));
    if (allowed) return void (await attempt);
    await expectRefusal(attempt, "FORBIDDEN", "role_too_low");
    expect(await stateOf(place)).toEqual(before);
  });
});

test("a viewer changes nothing of an organization but their own being there", async () => {
  const changing = Object.keys(forMembers).filter(
    (path) => procedures[`organization.${path}`]?._def.type === "mutation",
  );
  const open = changing.filter((path) => (forMembers[path]?.roles ?? memberRoles).includes("viewer"));
  expect(open).toEqual(["leave"]);
});

/** Whoever the procedure is for, so that it succeeds. */
async function rightful(path: string, place: Furnished): Promise<Pick<Insider, "headers" | "user">> {
  if (path === "invitations.accept" || path === "invitations.reject") return place.guest;
  if (path === "leave") return place.other;
  if (path === "restore") {
    await place.host.api.organization.delete();
    const { "x-organization": _, ...headers } = place.host.headers;
    return { ...place.host, headers };
  }
  return place.host;
}

test.each(paths)("%s takes exactly its budget of trips, and a write leaves one audit row", async (path) => {
  const place = await furnished();
  const { headers, user } = await rightful(path, place);
  const rows = () => withOwner((db) => db.$count(auditLog, eq(auditLog.actorId, user.id)));
  const before = await rows();
  const { trips } = await call(headers, path, inputOf(path, place));
  const { type, meta } = procedures[`organization.${path}`]?._def ?? {};
  expect(trips).toBe(meta?.trips);
  expect(trips).toBe(type === "query" ? 2 : 3);
  // Two people's roles change.
  const written = type === "query" ? 0 : path === "transferOwnership" ? 2 : 1;
  expect((await rows()) - before).toBe(written);
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
