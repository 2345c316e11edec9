import { unique } from "../../../test/actors.ts";
import { type Case, defineIsolation } from "../../../test/isolation/declare.ts";
import { insider, invited, newAddress } from "./places.ts";

/** An organization with one of everything. */
export async function furnished() {
  const host = await insider("owner");
  const other = await insider("member", host.organization);
  const outsideTeam = await insider("member", host.organization);
  const team = await host.api.organization.teams.create({ name: "Crew" });
  await host.api.organization.teams.addMember({ teamId: team.id, memberId: other.memberId });
  const { guest, invitationId } = await invited(host);
  return { host, other, outsideTeam, teamId: team.id, invitationId, guest };
}
export type Furnished = Awaited<ReturnType<typeof furnished>>;

type Input = Case<Furnished>["input"];

const member = (input?: Input, more: Partial<Case<Furnished>> = {}): Case<Furnished> => ({
  as: "member",
  ...(input ? { input } : {}),
  ...more,
});
const managed = (input: Input, more: Partial<Case<Furnished>> = {}) =>
  member(input, { roles: ["owner", "admin"], ...more });
const user = (input?: Input, more: Partial<Case<Furnished>> = {}): Case<Furnished> => ({
  ...member(input, more),
  as: "user",
});

const otherMember: Input = ({ other }) => ({ memberId: other.memberId });
const anInvitation: Input = ({ invitationId }) => ({ invitationId });
const anOrganization: Input = ({ host }) => ({ organizationId: host.organization.id });

export const isolation = defineIsolation<Furnished>({
  place: furnished,
  procedures: {
    "organization.get": member(),
    "organization.update": managed(() => ({ name: "Renamed" })),
    "organization.delete": member(undefined, { roles: ["owner"] }),
    "organization.leave": member(undefined, {
      rightful: ({ other }) => other,
      viewerMay: "their own being there is theirs to give up",
    }),
    "organization.transferOwnership": member(otherMember, { roles: ["owner"] }),
    "organization.members.list": member(() => ({})),
    "organization.members.updateRole": managed(({ other }) => ({ memberId: other.memberId, role: "viewer" })),
    "organization.members.remove": managed(otherMember),
    "organization.invitations.list": managed(() => ({})),
    "organization.invitations.create": managed(({ teamId }) => ({ email: newAddress(), teamId })),
    "organization.invitations.resend": managed(anInvitation),
    "organization.invitations.cancel": managed(anInvitation),
    "organization.teams.list": member(() => ({})),
    "organization.teams.create": managed(() => ({ name: `Team ${unique()}` }), { makes: ["id"] }),
    "organization.teams.update": managed(({ teamId }) => ({ teamId, name: "New name" })),
    "organization.teams.delete": managed(({ teamId }) => ({ teamId })),
    "organization.teams.addMember": managed(({ teamId, outsideTeam }) => ({ teamId, memberId: outsideTeam.memberId })),
    "organization.teams.removeMember": managed(({ teamId, other }) => ({ teamId, memberId: other.memberId })),
    "organization.audit.list": managed(() => ({})),
    "organization.list": user(() => ({})),
    "organization.create": user(() => ({ name: `Company ${unique()}` }), { makes: ["id"] }),
    "organization.restore": user(anOrganization, {
      prepare: ({ host }) => host.api.organization.delete(),
      rightful: ({ host: { headers } }) => {
        const { "x-organization": _, ...bare } = headers;
        return { headers: bare };
      },
    }),
    "organization.setActive": user(anOrganization),
    "organization.invitations.mine": user(),
    "organization.invitations.accept": user(anInvitation, { rightful: ({ guest }) => guest }),
    "organization.invitations.reject": user(anInvitation, { rightful: ({ guest }) => guest }),
  },
});
