import { identityPrefixes, type MemberRole, type PlatformRole } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { parseSigned } from "hono/utils/cookie";
import { connectionOf, type Db } from "./database/doors.ts";
import { AppError } from "./errors/app-error.ts";
import type { ExternalPerson } from "./external-token.ts";

/** The person behind a request. */
export interface CallerUser {
  id: string;
  name: string;
  email: string;
  emailVerified: boolean;
  image: string | null;
  isAnonymous: boolean;
  role: PlatformRole;
  createdAt: Date;
  updatedAt: Date;
}

/** The organization that the request speaks for, and the caller's role in it. */
export interface Membership {
  organizationId: string;
  role: MemberRole;
}

/** Somebody who signed in here. */
export interface SessionCaller {
  via: "session";
  sessionId: string;
  sessionCreatedAt: Date;
  /** The staff member who acts as this user, if any. */
  impersonatedBy: string | null;
  user: CallerUser;
  membership: Membership | null;
}

/** Somebody whom an external issuer vouches for, by a JWT; there is no session. */
export interface TokenCaller {
  via: "token";
  user: CallerUser;
  membership: Membership | null;
}

/** An API key: a person's own, which speaks for no organization, or an organization's, which speaks for no person. */
export interface KeyCaller {
  via: "key";
  keyId: string;
  scopes: readonly string[];
  user: CallerUser | null;
  membership: Membership | null;
}

/** Whoever sent the request, as verified against the database during the request. */
export type Caller = SessionCaller | TokenCaller | KeyCaller;

/** What an API key must hold: `<module>:<read|write>`. */
export type Scope = `${string}:${"read" | "write"}`;

/** Finds whoever sent the request; null for a visitor. An API key is refused unless it holds the scope that is asked for. */
export interface FindCaller {
  (): Promise<SessionCaller | TokenCaller | null>;
  (scope: Scope | false): Promise<Caller | null>;
}

/** A caller behind whom a person stands: everybody but an organization's API key. */
export type PersonCaller = SessionCaller | TokenCaller | (KeyCaller & { user: CallerUser });

export function isPerson(caller: Caller): caller is PersonCaller {
  return caller.user !== null;
}

/** For what lasts: whoever acts as somebody else leaves nothing behind and takes nothing away. @throws AppError FORBIDDEN */
export function assertInPerson(caller: Caller): void {
  if (caller.via !== "session" || !caller.impersonatedBy) return;
  throw new AppError("FORBIDDEN", "Not while acting as another user", { reason: "impersonated" });
}

/** Columns by which the database's functions describe a person. */
export interface CallerUserRow {
  user_id: string;
  name: string;
  email: string;
  email_verified: boolean;
  image: string | null;
  is_anonymous: boolean;
  platform_role: PlatformRole;
  created_at: Date;
  updated_at: Date;
}

export function callerUser(row: CallerUserRow): CallerUser {
  return {
    id: row.user_id,
    name: row.name,
    email: row.email,
    emailVerified: row.email_verified,
    image: row.image,
    isAnonymous: row.is_anonymous,
    role: row.platform_role,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Looks up once, and only when asked. */
export function finderOf(lookUp: () => Promise<Caller | null>): FindCaller {
  let found: Promise<Caller | null> | undefined;
  const find = async (scope: Scope | false = false) => {
    found ??= lookUp();
    const caller = await found;
    if (caller?.via === "key") assertInScope(caller, scope);
    return caller;
  };
  // Without a scope every key has been refused.
  return find as FindCaller;
}

/** @throws AppError FORBIDDEN */
function assertInScope({ scopes }: KeyCaller, scope: Scope | false): void {
  if (scope === false) throw new AppError("FORBIDDEN", "Not for API keys", { reason: "not_for_keys" });
  if (!scopes.includes(scope)) {
    throw new AppError("FORBIDDEN", `The API key lacks the scope ${scope}`, { reason: "scope_missing" });
  }
}

/** Name of the session cookie; `Secure` cookies carry the prefix that browsers enforce. */
export function sessionCookie(appUrl: string): string {
  return appUrl.startsWith("https:") ? "__Secure-fairlead.session_token" : "fairlead.session_token";
}

/** The request's bearer token, whatever it is. */
export function bearerToken(headers: Headers): string | undefined {
  return headers.get("authorization")?.match(/^Bearer\s+(\S+)$/i)?.[1];
}

/** Session token of the request's signed cookie or bearer token, or null when it carries none that is ours. */
export async function sessionToken(headers: Headers, cookieName: string, secret: string): Promise<string | null> {
  const bearer = bearerToken(headers);
  const cookie = bearer
    ? `${cookieName}=${bearer.includes("%") ? bearer : encodeURIComponent(bearer)}`
    : headers.get("cookie");
  if (!cookie) return null;
  const signed = await parseSigned(cookie, secret, cookieName);
  return signed[cookieName] || null;
}

interface PersonRow extends CallerUserRow {
  organization_id: string | null;
  member_role: MemberRole | null;
}

interface SessionRow extends PersonRow {
  session_id: string;
  session_created_at: Date;
  impersonated_by: string | null;
}

/**
 * The caller behind a session token, in one round trip past the cache; null when the session is revoked, expired or
 * its user banned.
 * @throws AppError FORBIDDEN when `organizationId` is not one of the caller's: it is never replaced by another.
 */
export async function resolveCaller(
  dbDirect: Db,
  token: string,
  organizationId: string | undefined,
): Promise<SessionCaller | null> {
  const sql = { name: "resolve_caller", text: "select * from auth.resolve_caller($1, $2)" };
  const { rows } = await connectionOf(dbDirect).query(sql, [token, organizationId ?? null], "auth");
  const row = rows[0] as SessionRow | undefined;
  if (!row) return null;
  return {
    via: "session",
    sessionId: row.session_id,
    sessionCreatedAt: row.session_created_at,
    impersonatedBy: row.impersonated_by,
    ...personOf(row, organizationId),
  };
}

/**
 * The caller for whom an external issuer vouches, found or made in one round trip past the cache; null when banned.
 * @throws AppError FORBIDDEN as `resolveCaller` does.
 */
export async function resolveExternal(
  dbDirect: Db,
  { issuer, subject, email, name }: ExternalPerson,
  organizationId: string | undefined,
): Promise<TokenCaller | null> {
  const sql = { name: "resolve_external", text: "select * from auth.resolve_external($1, $2, $3, $4, $5, $6, $7)" };
  const made = [newId(identityPrefixes.user), newId(identityPrefixes.identity)];
  const values = [issuer, subject, ...made, email, name, organizationId ?? null];
  const { rows } = await connectionOf(dbDirect).query(sql, values, "auth");
  const row = rows[0] as PersonRow | undefined;
  return row ? { via: "token", ...personOf(row, organizationId) } : null;
}

function personOf(row: PersonRow, wanted: string | undefined): Pick<TokenCaller, "user" | "membership"> {
  const { organization_id: organizationId, member_role: role } = row;
  if (wanted && organizationId !== wanted) {
    throw new AppError("FORBIDDEN", "Not a member of the organization in x-organization", { reason: "not_a_member" });
  }
  return {
    user: callerUser(row),
    membership: organizationId && role ? { organizationId, role } : null,
  };
}
