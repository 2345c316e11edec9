import type { Hono } from "hono";
import type { Context } from "../../../core/context.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import type { HonoEnv } from "../../../core/modules.ts";
import { isFreshSignIn } from "../policy.ts";
import { authOf, authPath } from "./auth.ts";
import { withRequest } from "./current.ts";
import { endpointOf } from "./endpoints.ts";

// Paths whose work depends on whether the address is known: what they answer leaves no sooner than this.
const evened = /^\/(sign-in\/email|sign-up\/email|request-password-reset|email-otp\/[a-z-]+)$/;
const floorMs = 500;

/** better-auth's endpoints, as its own client calls them. */
export function mountAuth(app: Hono<HonoEnv>): void {
  app.on(["GET", "POST"], `${authPath}/*`, (c) => answer(c.get("context"), c.req.raw));
}

async function answer(context: Context, request: Request): Promise<Response> {
  context.discretion.needed = true;
  const path = new URL(request.url).pathname.slice(authPath.length);
  const auth = authOf(context.env);
  // Attempts are counted by endpoint: made-up paths leave no rows.
  const endpoint = endpointOf(auth.api, path);
  if (!endpoint) throw new AppError("NOT_FOUND", "No such route");
  const stale = asksForFreshSignIn.has(endpoint) && (await isStale(context));
  if (stale) return Response.json({ code: "SESSION_NOT_FRESH", message: "Sign in again to do this" }, { status: 403 });
  // A timer of its own: a worker's clock stands still while it computes.
  const floor = evened.test(path) ? scheduler.wait(floorMs) : undefined;
  const response = await withRequest({ context, endpoint }, () => auth.handler(request));
  if (request.method !== "GET" && response.ok) context.freshness.wrote = true;
  const signedIn = response.ok && path.startsWith("/sign-in/");
  if (!signedIn) await floor;
  if (path.startsWith("/email-otp/") && !response.ok) return withoutCodeState(response);
  return withRetryAfter(response);
}

// better-auth asks the same before a passkey is added or an identity unlinked.
const asksForFreshSignIn = new Set(["/passkey/delete-passkey"]);

async function isStale({ findCaller }: Context): Promise<boolean> {
  const caller = await findCaller();
  return caller?.via === "session" && !isFreshSignIn(caller);
}

const tellsOfCode = new Set<unknown>(["TOO_MANY_ATTEMPTS", "OTP_EXPIRED"]);

/** Codes for sign-in are kept for any address, the others only for known ones: what is wrong with one must not show. */
async function withoutCodeState(response: Response): Promise<Response> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  const code = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
  if (!tellsOfCode.has(code)) return withRetryAfter(response);
  return Response.json({ message: "Invalid OTP", code: "INVALID_OTP" }, { status: 400, statusText: "BAD_REQUEST" });
}

function withRetryAfter(response: Response): Response {
  const seconds = response.headers.get("x-retry-after");
  if (seconds === null) return response;
  const answered = new Response(response.body, response);
  answered.headers.set("retry-after", seconds);
  return answered;
}
