import type { PlatformRole } from "@repo/db";
import { assertInPerson, type CallerUser, type SessionCaller } from "../../core/caller.ts";
import { AppError } from "../../core/errors/app-error.ts";

/** How long after a sign-in its session may do what cannot be undone, or change the ways in. */
export const freshSeconds = 600;

export function isFreshSignIn(
  { sessionCreatedAt }: Pick<SessionCaller, "sessionCreatedAt">,
  now = Date.now(),
): boolean {
  return now - sessionCreatedAt.getTime() <= freshSeconds * 1000;
}

/** What cannot be undone asks for a sign-in of the last 10 minutes, by the user in person. */
export function assertFreshSignIn(caller: SessionCaller): void {
  assertInPerson(caller);
  if (!isFreshSignIn(caller)) {
    throw new AppError("FORBIDDEN", "Sign in again to do this", { reason: "sign_in_again" });
  }
}

/** Support looks; admins act. */
export function assertAdmin({ user }: { user: Pick<CallerUser, "role"> }): void {
  if (user.role !== "admin") throw new AppError("FORBIDDEN", "For admins only", { reason: "role_too_low" });
}

/** Admins act on everybody but themselves. */
export function assertMayActOn({ user }: { user: Pick<CallerUser, "id" | "role"> }, userId: string): void {
  assertAdmin({ user });
  if (user.id === userId) throw new AppError("FORBIDDEN", "Not on your own account", { reason: "yourself" });
}

/** @throws AppError FORBIDDEN when the caller was shut out, or lost the role, while the request was under way. */
export function assertStillAdmin(actor: Target | undefined): void {
  if (!actor || isBanned(actor)) throw new AppError("FORBIDDEN", "No longer an admin", { reason: "role_too_low" });
  assertAdmin({ user: actor });
}

interface Target {
  role: PlatformRole;
  banned: boolean;
  banExpires: Date | null;
}

/** Whether a ban holds; one whose end has passed is over. */
export function isBanned({ banned, banExpires }: Pick<Target, "banned" | "banExpires">, now = new Date()): boolean {
  return banned && (banExpires === null || banExpires > now);
}

/** Acting as another user is no way to a higher role, nor around a ban. The database's policies hold the same. */
export function assertImpersonable(target: Target): void {
  if (target.role !== "user") throw new AppError("FORBIDDEN", "Staff cannot be impersonated", { reason: "staff" });
  if (isBanned(target)) throw new AppError("CONFLICT", "This user is banned", { reason: "banned" });
}
