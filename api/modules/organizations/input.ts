import { invitationStatuses, memberRoles, organizationPrefixes } from "@repo/db";
import * as z from "zod";
import { idInput, isShallow, nameInput, timeInput } from "../../core/input.ts";
import { pageInput } from "../../core/pagination.ts";

const maxMetadataBytes = 8 * 1024;
const maxMetadataDepth = 32;

const organizationId = idInput(organizationPrefixes.organization);
const memberId = idInput(organizationPrefixes.member);
const invitationId = idInput(organizationPrefixes.invitation);
const teamId = idInput(organizationPrefixes.team);
const role = z.enum(memberRoles);
const slug = z
  .string()
  .min(3)
  .max(80)
  .regex(/^[a-z0-9-]+$/, "small letters, digits and hyphens only");
const logo = z
  .url({ protocol: /^https?$/, error: "an http or https address" })
  .max(2048)
  .nullable();
const metadata = z
  .record(z.string(), z.unknown())
  .refine((value) => isShallow(value, maxMetadataDepth), { error: "nested too deep", abort: true })
  .refine((value) => new TextEncoder().encode(JSON.stringify(value)).byteLength <= maxMetadataBytes, {
    error: "larger than 8 KiB",
  });

export const listInput = pageInput.extend({
  /** The deleted ones that the caller can restore, in place of the live ones. */
  deleted: z.boolean().default(false),
});
export type ListInput = z.infer<typeof listInput>;

export const createInput = z.object({
  id: organizationId.optional(),
  name: nameInput,
  slug: slug.optional(),
  logo: logo.default(null),
  metadata: metadata.default({}),
});
export type CreateInput = z.infer<typeof createInput>;

export const updateInput = z
  .object({ name: nameInput, slug, logo, metadata })
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), "nothing to change");
export type UpdateInput = z.infer<typeof updateInput>;

export const organizationIdInput = z.object({ organizationId });
export type OrganizationIdInput = z.infer<typeof organizationIdInput>;

/** The organization that later requests of this session speak for; null for none. */
export const setActiveInput = z.object({ organizationId: organizationId.nullable() });
export type SetActiveInput = z.infer<typeof setActiveInput>;

export const memberListInput = pageInput;
export type MemberListInput = z.infer<typeof memberListInput>;

export const memberIdInput = z.object({ memberId });
export type MemberIdInput = z.infer<typeof memberIdInput>;

export const updateRoleInput = z.object({ memberId, role });
export type UpdateRoleInput = z.infer<typeof updateRoleInput>;

export const invitationListInput = pageInput.extend({ status: z.enum(invitationStatuses).optional() });
export type InvitationListInput = z.infer<typeof invitationListInput>;

export const inviteInput = z.object({
  email: z.email().max(254).toLowerCase(),
  role: role.default("member"),
  teamId: teamId.optional(),
});
export type InviteInput = z.infer<typeof inviteInput>;

export const invitationIdInput = z.object({ invitationId });
export type InvitationIdInput = z.infer<typeof invitationIdInput>;

export const teamListInput = pageInput;
export type TeamListInput = z.infer<typeof teamListInput>;

export const createTeamInput = z.object({ id: teamId.optional(), name: nameInput });
export type CreateTeamInput = z.infer<typeof createTeamInput>;

export const updateTeamInput = z.object({ teamId, name: nameInput });
export type UpdateTeamInput = z.infer<typeof updateTeamInput>;

export const teamIdInput = z.object({ teamId });
export type TeamIdInput = z.infer<typeof teamIdInput>;

export const teamMemberInput = z.object({ teamId, memberId });
export type TeamMemberInput = z.infer<typeof teamMemberInput>;

/** Newest first; each filter narrows the list further. */
export const auditListInput = pageInput.extend({
  actorId: z.string().max(100).optional(),
  target: z.string().max(100).optional(),
  action: z.string().max(100).optional(),
  since: timeInput.optional(),
  until: timeInput.optional(),
});
export type AuditListInput = z.infer<typeof auditListInput>;
