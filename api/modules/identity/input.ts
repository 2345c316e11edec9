import { z } from "zod";

/** What a person says about themselves. */
export const profileInput = z.object({
  name: z.string().trim().min(1).max(100),
  image: z
    .url({ protocol: /^https?$/, error: "an http or https address" })
    .max(2048)
    .nullable(),
});

export const updateUserInput = profileInput
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), {
    error: "nothing to change",
  });
export type updateUserInput = z.infer<typeof updateUserInput>;

export const revokeSessionInput = z.object({ sessionId: z.string().regex(/^sess_[0-9a-z]{26}$/) });
export type revokeSessionInput = z.infer<typeof revokeSessionInput>;
