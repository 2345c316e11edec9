import type { SessionCaller } from "../../core/caller.ts";
import { AppError } from "../../core/errors/app-error.ts";

const freshMs = 10 * 60_000;

/** What cannot be undone asks for a sign-in of the last 10 minutes, by the user in person. */
export function assertFreshSignIn({ sessionCreatedAt, impersonatedBy }: SessionCaller, now = Date.now()): void {
  if (impersonatedBy) {
    throw new AppError("FORBIDDEN", "Not while acting as another user", { reason: "impersonated" });
  }
  if (now - sessionCreatedAt.getTime() > freshMs) {
    throw new AppError("FORBIDDEN", "Sign in again to do this", { reason: "sign_in_again" });
  }
}
