import {
  memberProcedure,
  memberUserProcedure,
  type ProcedureMeta,
  router,
  sessionProcedure,
  userProcedure,
} from "../../core/procedures.ts";
import {
  auditListInput,
  createInput,
  createTeamInput,
  invitationIdInput,
  invitationListInput,
  inviteInput,
  listInput,
  memberIdInput,
  memberListInput,
  organizationIdInput,
  setActiveInput,
  teamIdInput,
  teamListInput,
  teamMemberInput,
  updateInput,
  updateRoleInput,
  updateTeamInput,
} from "./input.ts";
import { acceptInvitation, rejectInvitation } from "./service/answers.ts";
import { cancelInvitation, inviteMember, resendInvitation } from "./service/invitations.ts";
import { leaveOrganization, removeMember, transferOwnership, updateMemberRole } from "./service/members.ts";
import {
  createOrganization,
  deleteOrganization,
  getOrganization,
  restoreOrganization,
  setActiveOrganization,
  updateOrganization,
} from "./service/organization.ts";
import {
  listAudit,
  listInvitations,
  listMembers,
  listOrganizations,
  listOwnInvitations,
  listTeams,
} from "./service/read.ts";
import { addTeamMember, createTeam, deleteTeam, removeTeamMember, updateTeam } from "./service/teams.ts";

const read: ProcedureMeta = { scope: "organizations:read", trips: 2 };
const write: ProcedureMeta = { scope: "organizations:write", trips: 3 };
// No API key changes who belongs to an organization, or whether there is one.
const membership: ProcedureMeta = { scope: false, trips: 3 };

const membersRouter = router({
  list: memberProcedure
    .meta(read)
    .input(memberListInput)
    .query(({ ctx, input }) => listMembers(ctx, input)),
  updateRole: memberUserProcedure
    .meta(membership)
    .input(updateRoleInput)
    .mutation(({ ctx, input }) => updateMemberRole(ctx, input)),
  remove: memberUserProcedure
    .meta(membership)
    .input(memberIdInput)
    .mutation(({ ctx, input }) => removeMember(ctx, input)),
});

const invitationsRouter = router({
  list: memberProcedure
    .meta(read)
    .input(invitationListInput)
    .query(({ ctx, input }) => listInvitations(ctx, input)),
  create: memberUserProcedure
    .meta(membership)
    .input(inviteInput)
    .mutation(({ ctx, input }) => inviteMember(ctx, input)),
  resend: memberUserProcedure
    .meta(membership)
    .input(invitationIdInput)
    .mutation(({ ctx, input }) => resendInvitation(ctx, input)),
  cancel: memberUserProcedure
    .meta(membership)
    .input(invitationIdInput)
    .mutation(({ ctx, input }) => cancelInvitation(ctx, input)),

  mine: userProcedure.meta(read).query(({ ctx }) => listOwnInvitations(ctx)),
  accept: userProcedure
    .meta(membership)
    .input(invitationIdInput)
    .mutation(({ ctx, input }) => acceptInvitation(ctx, input)),
  reject: userProcedure
    .meta(membership)
    .input(invitationIdInput)
    .mutation(({ ctx, input }) => rejectInvitation(ctx, input)),
});

const teamsRouter = router({
  list: memberProcedure
    .meta(read)
    .input(teamListInput)
    .query(({ ctx, input }) => listTeams(ctx, input)),
  create: memberProcedure
    .meta(write)
    .input(createTeamInput)
    .mutation(({ ctx, input }) => createTeam(ctx, input)),
  update: memberProcedure
    .meta(write)
    .input(updateTeamInput)
    .mutation(({ ctx, input }) => updateTeam(ctx, input)),
  delete: memberProcedure
    .meta(write)
    .input(teamIdInput)
    .mutation(({ ctx, input }) => deleteTeam(ctx, input)),
  addMember: memberProcedure
    .meta(membership)
    .input(teamMemberInput)
    .mutation(({ ctx, input }) => addTeamMember(ctx, input)),
  removeMember: memberProcedure
    .meta(membership)
    .input(teamMemberInput)
    .mutation(({ ctx, input }) => removeTeamMember(ctx, input)),
});

const auditRouter = router({
  list: memberProcedure
    .meta(read)
    .input(auditListInput)
    .query(({ ctx, input }) => listAudit(ctx, input)),
});

/** Members' procedures speak of the organization that the request speaks for; the others name one, or none. */
export const organizationRouter = router({
  list: userProcedure
    .meta(read)
    .input(listInput)
    .query(({ ctx, input }) => listOrganizations(ctx, input)),
  create: userProcedure
    .meta(membership)
    .input(createInput)
    .mutation(({ ctx, input }) => createOrganization(ctx, input)),
  restore: userProcedure
    .meta(membership)
    .input(organizationIdInput)
    .mutation(({ ctx, input }) => restoreOrganization(ctx, input)),
  setActive: sessionProcedure
    .meta(membership)
    .input(setActiveInput)
    .mutation(({ ctx, input }) => setActiveOrganization(ctx, input)),

  get: memberProcedure.meta(read).query(({ ctx }) => getOrganization(ctx)),
  update: memberProcedure
    .meta(write)
    .input(updateInput)
    .mutation(({ ctx, input }) => updateOrganization(ctx, input)),
  delete: memberProcedure.meta(membership).mutation(({ ctx }) => deleteOrganization(ctx)),
  leave: memberUserProcedure.meta(membership).mutation(({ ctx }) => leaveOrganization(ctx)),
  transferOwnership: memberUserProcedure
    .meta(membership)
    .input(memberIdInput)
    .mutation(({ ctx, input }) => transferOwnership(ctx, input)),

  members: membersRouter,
  invitations: invitationsRouter,
  teams: teamsRouter,
  audit: auditRouter,
});
