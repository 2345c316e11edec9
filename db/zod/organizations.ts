import { createInsertSchema, createSelectSchema, createUpdateSchema } from "drizzle-zod";
import { auditLog, invitation, member, organization, team, teamMember } from "../schema/organizations.ts";
import { ids } from "./ids.ts";

export const insertOrganizationSchema = createInsertSchema(organization, ids(organization));
export const selectOrganizationSchema = createSelectSchema(organization, ids(organization));
export const updateOrganizationSchema = createUpdateSchema(organization, ids(organization));

export const insertMemberSchema = createInsertSchema(member, ids(member));
export const selectMemberSchema = createSelectSchema(member, ids(member));
export const updateMemberSchema = createUpdateSchema(member, ids(member));

export const insertTeamSchema = createInsertSchema(team, ids(team));
export const selectTeamSchema = createSelectSchema(team, ids(team));
export const updateTeamSchema = createUpdateSchema(team, ids(team));

export const insertTeamMemberSchema = createInsertSchema(teamMember, ids(teamMember));
export const selectTeamMemberSchema = createSelectSchema(teamMember, ids(teamMember));
export const updateTeamMemberSchema = createUpdateSchema(teamMember, ids(teamMember));

export const insertInvitationSchema = createInsertSchema(invitation, ids(invitation));
export const selectInvitationSchema = createSelectSchema(invitation, ids(invitation));
export const updateInvitationSchema = createUpdateSchema(invitation, ids(invitation));

export const insertAuditLogSchema = createInsertSchema(auditLog, ids(auditLog));
export const selectAuditLogSchema = createSelectSchema(auditLog, ids(auditLog));
export const updateAuditLogSchema = createUpdateSchema(auditLog, ids(auditLog));
