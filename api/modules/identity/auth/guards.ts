import { createHash } from "node:crypto";
import { eq, user } from "@repo/db";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { profileInput } from "../input.ts";
import { currentDb } from "./current.ts";
import { consume, type Rule } from "./rate-limit.ts";

// Attempts at one e-mail address, whatever the IP addresses they come from.
const perAddress: Rule = { window: 900, max: 10 };
const addressed = /^\/(sign-(in|up)\/|email-otp\/|request-password-reset$|send-verification-email$)/;

/** Runs before each endpoint, before anything depends on whether the address is known. */
export const beforeEndpoint = createAuthMiddleware(async ({ path, body }) => {
  if (typeof body !== "object" || body === null) return;
  checkProfile(body);
  if (addressed.test(path) && typeof body.email === "string") await limitAddress(body.email, path);
});

async function limitAddress(email: string, path: string): Promise<void> {
  const address = createHash("sha256").update(email.trim().toLowerCase()).digest("base64url");
  const { allowed, retryAfter } = await consume(currentDb, `${address}|${path}`, perAddress);
  if (allowed) return;
  const message = "Too many requests. Please try again later.";
  throw new APIError("TOO_MANY_REQUESTS", { message }, { "x-retry-after": String(retryAfter) });
}

function checkProfile({ name, image }: Record<string, unknown>): void {
  const { error } = profileInput.safeParse({ name: name || undefined, image: image ?? undefined });
  const [issue] = error?.issues ?? [];
  if (issue)
    throw new APIError("BAD_REQUEST", {
      message: `${issue.path.join(".")}: ${issue.message}`,
      code: "INVALID_PROFILE",
    });
}

/** Refuses a session to a banned user, after whatever proof was asked of them. */
export async function refuseBanned({ userId }: { userId: string }): Promise<void> {
  const [row] = await currentDb
    .select({ banned: user.banned, banExpires: user.banExpires })
    .from(user)
    .where(eq(user.id, userId));
  if (!row?.banned || (row.banExpires && row.banExpires <= new Date())) return;
  throw new APIError("FORBIDDEN", { code: "BANNED_USER", message: "This account is banned" });
}
