import { createHash } from "node:crypto";
import { eq, user } from "@repo/db";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { networkOf } from "../../../core/network.ts";
import { profileInput } from "../input.ts";
import { isBanned } from "../policy.ts";
import { currentDb, currentRequest } from "./current.ts";
import { spendCode, tooMany } from "./proofs.ts";
import { consume, type Rule } from "./rate-limit.ts";

// Attempts at one e-mail address from one network, and from all of them: nobody can lock somebody else out cheaply.
const perNetwork: Rule = { window: 900, max: 10 };
const perAddress: Rule = { window: 900, max: 100 };
const addressed = /^\/(sign-(in|up)\/|email-otp\/|request-password-reset$|send-verification-email$)/;

/** Runs before each endpoint, before anything depends on whether the address is known. */
export const beforeEndpoint = createAuthMiddleware(async ({ path, body, query }) => {
  for (const fields of [body, query]) if (isObject(fields)) checkRedirects(fields);
  if (!isObject(body)) return;
  checkProfile(body, path);
  refuseExtras(body, path);
  if (addressed.test(path) && typeof body.email === "string") await limitAddress(body.email, path);
});

/** What better-auth offers beside, and would undo a promise of ours. */
function refuseExtras({ createSession, trustDevice }: Record<string, unknown>, path: string): void {
  // Its session would pass for one of somebody who has just signed in.
  if (path === "/passkey/verify-registration" && createSession) {
    throw new APIError("BAD_REQUEST", { message: "Adding a passkey is no sign-in", code: "NO_SIGN_IN" });
  }
  // Its cookie would outlive a new password and a new second factor.
  if (path.startsWith("/two-factor/") && trustDevice) {
    throw new APIError("BAD_REQUEST", { message: "No device is spared the next code", code: "NO_TRUSTED_DEVICES" });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

const redirects = ["callbackURL", "redirectTo", "errorCallbackURL", "newUserCallbackURL"];

/** Refuses a relative address which, once its dots are resolved, leads to another host. */
function checkRedirects(fields: Record<string, unknown>): void {
  for (const name of redirects) {
    const value = fields[name];
    if (typeof value !== "string" || !/^[/\\]/.test(value)) continue;
    const here = "http://here";
    const leadsAway = !URL.canParse(value, here) || new URL(value, here).pathname.startsWith("//");
    if (leadsAway || new URL(value, here).origin !== here) {
      throw new APIError("FORBIDDEN", { message: `Invalid ${name}`, code: "INVALID_CALLBACK_URL" });
    }
  }
}

async function limitAddress(email: string, path: string): Promise<void> {
  const address = createHash("sha256").update(email.trim().toLowerCase()).digest("base64url");
  const network = networkOf(currentRequest().ip);
  const verdicts = await Promise.all([
    consume(currentDb, `${address}|${network}|${path}`, perNetwork),
    consume(currentDb, `${address}|${path}`, perAddress),
  ]);
  const refused = verdicts.filter(({ allowed }) => !allowed);
  if (refused.length === 0) return;
  throw tooMany(Math.max(...refused.map(({ retryAfter }) => retryAfter ?? 1)));
}

function checkProfile({ name, image }: Record<string, unknown>, path: string): void {
  // Signing in by code sends an empty name for whoever has none yet.
  const given = path.startsWith("/sign-in/") && name === "" ? undefined : name;
  const { error } = profileInput.safeParse({ name: given, image: image ?? undefined });
  const [issue] = error?.issues ?? [];
  if (issue)
    throw new APIError("BAD_REQUEST", {
      message: `${issue.path.join(".")}: ${issue.message}`,
      code: "INVALID_PROFILE",
    });
}

/** What better-auth was asked for when it opens a session. */
interface Request {
  path?: string;
  body?: unknown;
}

/** Runs before each session, after whatever proof was asked for it. */
export async function beforeSession({ userId }: { userId: string }, request: Request | null): Promise<void> {
  await refuseBanned(userId);
  const { path, body } = request ?? {};
  if (path === "/two-factor/verify-totp" && isObject(body)) await spendCode(userId, String(body.code));
}

/** A banned user is told so only here, behind the proof. */
async function refuseBanned(userId: string): Promise<void> {
  const [row] = await currentDb
    .select({ banned: user.banned, banExpires: user.banExpires })
    .from(user)
    .where(eq(user.id, userId));
  if (!row || !isBanned(row)) return;
  throw new APIError("FORBIDDEN", { code: "BANNED_USER", message: "This account is banned" });
}
