import * as schema from "../schema/organizations.ts";
import { all, isolation, own, tenant } from "./suite/declare.ts";
import { type Actor, emailOf, isMember, isVerified, memberships, north, south, sunk, userOf } from "./suite/world.ts";

const later = new Date(Date.UTC(2100, 0));
const memberId = ({ sub, org }: { sub: string; org: string }) => `mem_${sub.slice(5)}_${org.slice(4)}`;

/** Pending for guest and ghost; cat, who turned hers down, is in already. */
const invitations = [
  { id: "inv_guest", organizationId: north, email: emailOf("guest"), role: "member", inviterId: userOf("ada") },
  { id: "inv_ghost", organizationId: north, email: emailOf("ghost"), role: "member", teamId: "team_north" },
  { id: "inv_nobody", organizationId: south, email: emailOf("nobody"), role: "owner", status: "cancelled" },
  { id: "inv_south", organizationId: south, email: "someone@example.com", role: "viewer", inviterId: userOf("eve") },
] as const;

type Addressed = { email?: unknown; organizationId?: unknown; status?: unknown };
/** An invitation speaks to whoever has proved to own its address. */
const addressed = ({ email }: Addressed, { sub }: Actor) =>
  isVerified(sub) && email === `${sub?.slice("user_".length)}@example.com`;

export const organizationIsolation = isolation([schema.organization, schema.organizationAccess], {
  owner: { organization: "id" },
  rows: [
    { id: north, name: "North", slug: "north" },
    { id: south, name: "South", slug: "south" },
    { id: sunk, name: "Sunk", slug: "sunk", deletedAt: new Date(0) },
  ],
  reaches: {
    auth_resolver: all,
    authenticated: {
      // The one that the request speaks for, those that one belongs to, and those that invite one.
      select: (row, actor) =>
        row.id === actor.org ||
        isMember(actor.sub, row.id) ||
        invitations.some((one: Addressed) => one.organizationId === row.id && !one.status && addressed(one, actor)),
      update: (row, { sub, org }) => row.id === org || isMember(sub, row.id, "owner"),
    },
    support: all,
    admin: all,
    service: all,
  },
  equivalent: {
    "organization_update_policy: with check (true)": "the id cannot be updated",
    "organization_update_owned_policy: with check (true)": "the id cannot be updated",
  },
});

export const memberIsolation = isolation([schema.member, schema.memberAccess], {
  owner: { organization: "organizationId", user: "userId" },
  rows: memberships.map((one) => ({
    id: memberId(one),
    organizationId: one.org,
    userId: one.sub,
    role: one.role,
  })),
  reaches: {
    auth_resolver: all,
    authenticated: {
      select: (row, actor) => tenant(row, actor) || own("userId")(row, actor),
      update: tenant,
      delete: tenant,
    },
    support: all,
    admin: all,
    service: all,
  },
  equivalent: {
    "member_update_policy: with check (true)": "the organization of a membership cannot be updated",
  },
});

export const teamIsolation = isolation([schema.team, schema.teamAccess], {
  owner: { organization: "organizationId" },
  rows: [
    { id: "team_north", organizationId: north, name: "Crew" },
    { id: "team_south", organizationId: south, name: "Crew" },
  ],
  reaches: { authenticated: tenant, support: all, admin: all },
});

export const teamMemberIsolation = isolation([schema.teamMember, schema.teamMemberAccess], {
  owner: { organization: "organizationId" },
  rows: [
    { organizationId: north, teamId: "team_north", memberId: "mem_bob_north" },
    { organizationId: south, teamId: "team_south", memberId: "mem_cat_south" },
  ],
  reaches: { auth_resolver: all, authenticated: tenant, support: all, admin: all },
  goes: (row, { kind, id }) =>
    kind === "organization"
      ? row.organizationId === id
      : memberships.some((one) => one.sub === id && memberId(one) === row.memberId),
});

export const invitationIsolation = isolation([schema.invitation, schema.invitationAccess], {
  owner: { organization: "organizationId" },
  rows: invitations.map((one) => ({ ...one, expiresAt: later })),
  reaches: {
    auth_resolver: all,
    authenticated: {
      select: (row, actor) => tenant(row, actor) || addressed(row, actor),
      insert: tenant,
      update: tenant,
    },
    support: all,
    admin: all,
    service: all,
  },
  pointsFreely: { inviterId: "a person's id is no tenant's row, and shows nothing of the person" },
});

const entry = { action: "x.y", target: "t", requestId: "r" };

export const auditLogIsolation = isolation([schema.auditLog, schema.auditLogAccess], {
  owner: { organization: "organizationId" },
  rows: [
    { ...entry, id: "aud_north_ada", organizationId: north, actorId: userOf("ada") },
    { ...entry, id: "aud_north_cat", organizationId: north, actorId: userOf("cat") },
    { ...entry, id: "aud_south_cat", organizationId: south, actorId: userOf("cat") },
    { ...entry, id: "aud_south_eve", organizationId: south, actorId: userOf("eve") },
    { ...entry, id: "aud_north_eve", organizationId: north, actorId: userOf("eve") },
    { ...entry, id: "aud_north_guest", organizationId: north, actorId: userOf("guest") },
    { ...entry, id: "aud_north_ghost", organizationId: north, actorId: userOf("ghost") },
    { ...entry, id: "aud_north_nobody", organizationId: north, actorId: userOf("nobody") },
    { ...entry, id: "aud_ada", actorId: userOf("ada") },
    { ...entry, id: "aud_eve", actorId: userOf("eve") },
    { ...entry, id: "aud_ada_key", actorId: userOf("ada"), keyId: "key_ada" },
    { ...entry, id: "aud_ada_other_key", actorId: userOf("ada"), keyId: "key_north" },
    { ...entry, id: "aud_north_key", organizationId: north, keyId: "key_north" },
    { ...entry, id: "aud_south_key", organizationId: south, keyId: "key_south" },
    { ...entry, id: "aud_south_forged", organizationId: south, keyId: "key_north" },
    { ...entry, id: "aud_sue", organizationId: north, actorId: userOf("sue") },
    { ...entry, id: "aud_max_key", organizationId: north, actorId: userOf("max"), keyId: "key_north" },
    { ...entry, id: "aud_system", organizationId: south },
  ],
  reaches: {
    authenticated: {
      select: (row, actor) => tenant(row, actor) || (row.organizationId === undefined && own("actorId")(row, actor)),
      // In one's own name and through one's own key, for oneself or for where one belongs or is invited; an
      // organization's key writes in no person's name.
      insert: (row, actor) => {
        if (row.keyId !== actor.key) return false;
        if (actor.sub === undefined) return row.actorId === undefined && actor.key !== undefined && tenant(row, actor);
        const mine = (one: Addressed) => one.organizationId === row.organizationId && addressed(one, actor);
        const belongs = isMember(actor.sub, row.organizationId) || invitations.some(mine);
        return own("actorId")(row, actor) && (row.organizationId === undefined || tenant(row, actor) || belongs);
      },
    },
    support: { select: all, insert: (row, actor) => own("actorId")(row, actor) && row.keyId === undefined },
    admin: { select: all, insert: (row, actor) => own("actorId")(row, actor) && row.keyId === undefined },
    service: all,
  },
  goes: () => false,
});
