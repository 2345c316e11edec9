import { identityPrefixes } from "@repo/db";
import * as z from "zod";
import { idInput, nameInput, timeInput } from "../../core/input.ts";
import { pageInput } from "../../core/pagination.ts";

/** What people say about themselves. */
export const profileInput = z
  .object({
    name: nameInput,
    image: z
      .url({ protocol: /^https?$/, error: "an http or https address" })
      .max(2048)
      .nullable(),
  })
  .partial();

export const updateUserInput = profileInput.refine(
  ({ name, image }) => name !== undefined || image !== undefined,
  "nothing to change",
);
export type UpdateUserInput = z.infer<typeof updateUserInput>;

export const sessionIdInput = z.object({ sessionId: idInput(identityPrefixes.session) });
export type SessionIdInput = z.infer<typeof sessionIdInput>;

export const userIdInput = z.object({ userId: idInput(identityPrefixes.user) });
export type UserIdInput = z.infer<typeof userIdInput>;

/** `search`: an id, or how a name or an address begins. */
export const userListInput = pageInput.extend({ search: z.string().trim().min(1).max(100).optional() });
export type UserListInput = z.infer<typeof userListInput>;

const reason = z.string().trim().min(1).max(500);

/** `until`: when the ban ends by itself; without it, never. */
export const banInput = userIdInput.extend({
  reason,
  until: timeInput.refine((until) => until.getTime() > Date.now(), "in the future").optional(),
});
export type BanInput = z.infer<typeof banInput>;

export const impersonateInput = userIdInput.extend({ reason });
export type ImpersonateInput = z.infer<typeof impersonateInput>;
