import type { PersonCaller } from "../../core/caller.ts";
import { AppError } from "../../core/errors/app-error.ts";

/** Publishing puts a person's data before the world: only whoever owns the address may do it. */
export function assertMayPublish({ user }: PersonCaller): void {
  if (!user.emailVerified) {
    throw new AppError("FORBIDDEN", "Confirm your e-mail address before publishing", { reason: "email_not_verified" });
  }
}
