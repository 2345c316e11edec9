import { createHash } from "node:crypto";
import { APIError } from "better-auth/api";
import { currentDb, currentEndpoint } from "./current.ts";
import { verifyPassword } from "./password.ts";
import { consume, type Rule } from "./rate-limit.ts";

const digest = (text: string) => createHash("sha256").update(text).digest("base64url");

/** @param seconds until the next attempt makes sense */
export function tooMany(seconds: number): APIError {
  const message = "Too many requests. Please try again later.";
  return new APIError("TOO_MANY_REQUESTS", { message }, { "x-retry-after": String(seconds) });
}

// An authenticator's code holds for 90 seconds at most, the half-minutes before and after its own included.
const once: Rule = { window: 120, max: 1 };

/** Refuses an authenticator's code that has opened a session already: whoever saw it typed must not follow. */
export async function spendCode(userId: string, code: string): Promise<void> {
  const { allowed } = await consume(currentDb, `totp|${digest(`${userId}|${code}`)}`, once);
  if (!allowed) throw new APIError("UNAUTHORIZED", { code: "INVALID_CODE", message: "Invalid code" });
}

const perPassword: Rule = { window: 900, max: 10 };

/** Where a session asks for the password again: whoever has merely found the session does not go on guessing. */
export async function checkPassword(given: { hash: string; password: string }): Promise<boolean> {
  if (currentEndpoint() !== "/sign-in/email") {
    const { allowed, retryAfter } = await consume(currentDb, `password|${digest(given.hash)}`, perPassword);
    if (!allowed) throw tooMany(retryAfter ?? 1);
  }
  return verifyPassword(given);
}
