import type { MemberRole, Organization } from "@repo/db";
import { type Actor, joinOrganization, signIn } from "../../../test/actors.ts";
import { apiFor } from "../../../test/call.ts";
import { withContext } from "../../../test/context.ts";
import { knownScopes } from "../scopes.ts";

/** Every scope there is. */
export const everything = () => knownScopes();

/** Somebody with a role in a new organization, or in the one given. */
export async function insider(role: MemberRole = "owner", into?: Organization) {
  return joinOrganization(await signIn(), role, into);
}

/** The headers that a secret speaks through, and its procedures. */
export function speaking(secret: string) {
  const headers = { authorization: `Bearer ${secret}` };
  return { headers, api: apiFor(headers) };
}

interface Wanted {
  owner?: "user" | "organization";
  scopes?: string[];
  expiresAt?: Date;
}

/** A new key, made as the actor would make it. */
export async function keyOf(actor: Pick<Actor, "api">, { owner = "organization", scopes, expiresAt }: Wanted = {}) {
  const made = await actor.api.apiKeys.create({
    owner,
    name: "Test key",
    scopes: scopes ?? everything(),
    ...(expiresAt ? { expiresAt } : {}),
  });
  return { ...made, ...speaking(made.secret) };
}

/** The caller that a request with these headers is found to be, whatever its scopes. */
export function callerOf(headers: Record<string, string>) {
  return withContext(headers, (context) => context.findCaller("usage:read"));
}
