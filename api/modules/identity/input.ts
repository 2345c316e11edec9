import { identityPrefixes } from "@repo/db";
import * as z from "zod";
import { idInput } from "../../core/input.ts";

/** What people say about themselves. */
export const profileInput = z
  .object({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .regex(/^\P{Cc}*$/u, "no control characters"),
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
