import type { Hono } from "hono";
import type { Context } from "../../../core/context.ts";
import type { HonoEnv } from "../../../core/modules.ts";
import { authOf, authPath } from "./auth.ts";
import { withRequest } from "./current.ts";

// Paths whose work depends on whether the address is known: what they answer leaves no sooner than this.
const evened = /\/(sign-in\/email|sign-up\/email|request-password-reset|email-otp\/[a-z-]+)$/;
const floorMs = 500;

/** better-auth's endpoints, as its own client calls them. */
export function mountAuth(app: Hono<HonoEnv>): void {
  app.on(["GET", "POST"], `${authPath}/*`, (c) => answer(c.get("context"), c.req.raw));
}

async function answer(context: Context, request: Request): Promise<Response> {
  if (request.method !== "GET") context.freshness.wrote = true;
  // A timer of its own: a worker's clock stands still while it computes.
  const floor = evened.test(new URL(request.url).pathname) ? scheduler.wait(floorMs) : undefined;
  const response = await withRequest(context, () => authOf(context.env).handler(request));
  const signedIn = response.ok && request.url.includes("/sign-in/");
  if (!signedIn) await floor;
  return withRetryAfter(response);
}

function withRetryAfter(response: Response): Response {
  const seconds = response.headers.get("x-retry-after");
  if (seconds === null) return response;
  const answered = new Response(response.body, response);
  answered.headers.set("retry-after", seconds);
  return answered;
}
