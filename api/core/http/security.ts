import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { getEnv } from "../env.ts";
import { AppError } from "../errors/app-error.ts";
import { freshHeader } from "../freshness.ts";
import type { HonoEnv } from "../modules.ts";

const limitHeaders = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-usage-warning"];
const maxBodyBytes = 1024 * 1024;

/** Headers that browsers enforce. Pages that show something set a policy of their own. */
export const withSecureHeaders = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  crossOriginResourcePolicy: "cross-origin",
});

/** Refuses bodies over 1 MiB. */
export const withBodyLimit: MiddlewareHandler<HonoEnv> = bodyLimit({
  maxSize: maxBodyBytes,
  onError() {
    throw new AppError("PAYLOAD_TOO_LARGE", "The body is larger than 1 MiB");
  },
});

/** Lets the listed frontends in, with cookies. */
export const withCors: MiddlewareHandler<HonoEnv> = cors({
  origin: (origin, c) => (isAllowed(origin, c.env) ? origin : null),
  credentials: true,
  allowHeaders: ["content-type", "authorization", "x-organization", freshHeader, "idempotency-key", "trpc-accept"],
  exposeHeaders: [freshHeader, "x-request-id", "server-timing", "retry-after", "set-auth-token", ...limitHeaders],
  maxAge: 600,
});

/** Refuses writes that a browser sends on behalf of a page of another origin. */
export const withOriginCheck: MiddlewareHandler<HonoEnv> = async (c, next) => {
  const origin = c.req.header("origin");
  const safe = ["GET", "HEAD", "OPTIONS"].includes(c.req.method);
  if (!safe && origin !== undefined && !isAllowed(origin, c.env)) {
    throw new AppError("FORBIDDEN", "This origin may not call the API; list it in CORS_ORIGINS", { reason: "origin" });
  }
  await next();
};

function isAllowed(origin: string, bindings: object): boolean {
  const { APP_URL, CORS_ORIGINS } = getEnv(bindings);
  return origin === new URL(APP_URL).origin || CORS_ORIGINS.includes(origin);
}
