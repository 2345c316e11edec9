import type { MemberRole, RuntimeRole } from "../../schema/index.ts";

/** Who a statement speaks for. */
export interface Actor {
  name: string;
  role: RuntimeRole;
  sub?: string;
  org?: string;
  key?: string;
}

/** Two tenants, and people in one, both or none of them. */
export const north = "org_north";
export const south = "org_south";
/** Deleted softly; ada owned it. */
export const sunk = "org_sunk";

export const memberships: { sub: string; org: string; role: MemberRole }[] = [
  { sub: "user_ada", org: north, role: "owner" },
  { sub: "user_bob", org: north, role: "admin" },
  { sub: "user_cat", org: north, role: "viewer" },
  { sub: "user_cat", org: south, role: "admin" },
  { sub: "user_eve", org: south, role: "owner" },
  { sub: "user_ada", org: sunk, role: "owner" },
];

/** guest has proved to own the address that north invites; ghost has not. */
export const people = ["ada", "bob", "cat", "eve", "guest", "ghost", "nobody", "sue", "max"] as const;

export const userOf = (name: (typeof people)[number]) => `user_${name}`;
export const emailOf = (name: (typeof people)[number]) => `${name}@example.com`;
export const isVerified = (sub: string | undefined) => sub !== undefined && sub !== "user_ghost";

export const isMember = (sub: unknown, org: unknown, role?: MemberRole) =>
  memberships.some((one) => one.sub === sub && one.org === org && (role === undefined || one.role === role));

const person = (sub: string, org?: string): Actor => ({
  name: `${sub.slice("user_".length)}${org ? ` for ${org.slice("org_".length)}` : ""}`,
  role: "authenticated",
  sub,
  ...(org ? { org } : {}),
});

/** Everybody who may send a statement: each role, and `authenticated` of this tenant, of another, of both, of none. */
export const actors: Actor[] = [
  person("user_ada", north),
  person("user_ada"),
  person("user_bob", north),
  person("user_cat", north),
  person("user_cat", south),
  person("user_eve", south),
  person("user_eve"),
  person("user_guest"),
  person("user_ghost"),
  person("user_nobody"),
  // Has just left: the claim was true when the request began.
  person("user_nobody", north),
  { name: "ada's key", role: "authenticated", sub: "user_ada", key: "key_ada" },
  { name: "north's key", role: "authenticated", org: north, key: "key_north" },
  { name: "south's key", role: "authenticated", org: south, key: "key_south" },
  { name: "authenticated without claims", role: "authenticated" },
  { name: "support", role: "support", sub: "user_sue" },
  { name: "admin", role: "admin", sub: "user_max" },
  { name: "anonymous", role: "anonymous" },
  { name: "service", role: "service" },
  { name: "app_cached", role: "app_cached" },
  { name: "app_direct", role: "app_direct" },
  { name: "auth_resolver", role: "auth_resolver" },
];
