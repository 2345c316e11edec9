import type { MemberRole, PlatformRole } from "@repo/db";
import { assertInPerson, type Caller, type PersonCaller } from "../../core/caller.ts";
import { AppError } from "../../core/errors/app-error.ts";

export type Owner = { userId: string; organizationId: null } | { userId: null; organizationId: string };

const managers: readonly MemberRole[] = ["owner", "admin"];

/**
 * Whose keys or usage the call is about.
 * @throws AppError FORBIDDEN when it is the organization's and the request speaks for none.
 */
export function ownerOf(caller: Caller, wanted: "user" | "organization"): Owner {
  const { user, membership } = caller;
  const own = caller.via === "key" ? user : wanted === "user" ? user : null;
  if (own) return { userId: own.id, organizationId: null };
  if (membership) return { userId: null, organizationId: membership.organizationId };
  throw new AppError("FORBIDDEN", "Choose an organization first", { reason: "no_organization" });
}

/**
 * The owner whose keys the caller may manage: people their own, owners and admins their organization's. A staff member
 * who acts as somebody makes nothing that outlasts it.
 * @throws AppError FORBIDDEN
 */
export function assertMayManage(caller: PersonCaller, wanted: "user" | "organization"): Owner {
  if (caller.via === "key") throw new AppError("FORBIDDEN", "Not for API keys", { reason: "not_for_keys" });
  assertInPerson(caller);
  const owner = ownerOf(caller, wanted);
  if (owner.organizationId && !managers.includes(caller.membership?.role ?? "viewer")) {
    throw new AppError("FORBIDDEN", `Needs the role ${managers.join(" or ")}`, { reason: "role_too_low" });
  }
  return owner;
}

/** @throws AppError FORBIDDEN: whoever widens a key without standing for it would lend it somebody else's rights. */
export function assertMayWiden(
  caller: PersonCaller,
  before: { scopes: string[]; createdBy: string | null },
  scopes: string[],
): void {
  if (before.createdBy === caller.user.id || scopes.every((scope) => before.scopes.includes(scope))) return;
  throw new AppError("FORBIDDEN", "Only whoever stands for the key may add scopes: make a new one", {
    reason: "not_creator",
  });
}

/** @throws AppError FORBIDDEN: support reads limits, admins set them. */
export function assertMaySetLimits({ role }: { role: PlatformRole }): void {
  if (role !== "admin") throw new AppError("FORBIDDEN", "For platform admins only", { reason: "role_too_low" });
}
