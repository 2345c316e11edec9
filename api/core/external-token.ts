import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import * as z from "zod";
import type { Env } from "./env.ts";
import { AppError } from "./errors/app-error.ts";

/** Whom an external issuer vouches for. */
export interface ExternalPerson {
  issuer: string;
  subject: string;
  name: string;
  /** An address that the issuer says is theirs. */
  email: string | null;
}

const clockToleranceSeconds = 5;
// After a fetch of the keys, one for an unknown key id waits this long: made-up ids must not turn into requests.
const keySets = { cooldownDuration: 30_000, cacheMaxAge: 600_000, timeoutDuration: 3000 };
const fetched = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

function keySetOf(url: string) {
  const known = fetched.get(url) ?? createRemoteJWKSet(new URL(url), keySets);
  fetched.set(url, known);
  return known;
}

/** Whether a bearer token has the form of a JWT; session tokens and API keys have not. */
export function isJwt(token: string): boolean {
  return /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/.test(token);
}

/**
 * Whom the token speaks for; null unless a configured issuer signed it for us and it is valid now.
 * @throws AppError UNAVAILABLE when the issuer's keys are out of reach.
 */
export async function verifyExternalToken({ EXTERNAL_ISSUERS }: Env, token: string): Promise<ExternalPerson | null> {
  const configured = EXTERNAL_ISSUERS.find(({ issuer }) => issuer === issuerOf(token));
  if (!configured) return null;
  const { issuer, audience, jwksUrl, algorithms } = configured;
  const rules = { issuer, audience, algorithms, requiredClaims: ["sub", "exp"], clockTolerance: clockToleranceSeconds };
  try {
    const { payload } = await jwtVerify(token, keySetOf(jwksUrl), rules);
    return toPerson(issuer, payload);
  } catch (error) {
    if (isRefusal(error)) return null;
    throw new AppError("UNAVAILABLE", "The token's issuer is out of reach", { cause: error, retryAfter: 5 });
  }
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** Whether the token is at fault, rather than the way to the issuer's keys. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && error.code !== "ERR_JOSE_GENERIC"
  );
}

const subject = z.string().min(1).max(255);
const address = z.email().max(254).toLowerCase();

function toPerson(issuer: string, { sub, name, email, email_verified }: JWTPayload): ExternalPerson | null {
  const known = subject.safeParse(sub);
  if (!known.success) return null;
  const given =
    typeof name === "string"
      ? name
          .replaceAll(/\p{Cc}/gu, "")
          .trim()
          .slice(0, 100)
      : "";
  const proved = email_verified === true ? address.safeParse(email).data : undefined;
  return { issuer, subject: known.data, name: given || "User", email: proved ?? null };
}
