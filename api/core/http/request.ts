import type { Context as HonoContext, MiddlewareHandler } from "hono";
import { type Context, closeContext, createContext } from "../context.ts";
import { getEnv } from "../env.ts";
import type { AppError } from "../errors/app-error.ts";
import { retryAfterOf, statusOf, toAppError } from "../errors/http.ts";
import { describeError, logLine } from "../log.ts";
import type { HonoEnv } from "../modules.ts";
import { freshHeaders, onceSent, serverTiming } from "./headers.ts";

type RequestContext = HonoContext<HonoEnv>;

/** Gives each request its context, and its answer the headers that tell of it; ends what the request opened. */
export const withContext: MiddlewareHandler<HonoEnv> = async (c, next) => {
  const started = performance.now();
  const runtime = {
    env: getEnv(c.env),
    requestId: c.get("requestId"),
    waitUntil: (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise),
  };
  const context = await createContext(runtime, c.req.raw.headers);
  c.set("context", context);
  await next();
  for (const [name, value] of await freshHeaders(context)) c.res.headers.append(name, value);
  if (!context.discretion.needed) c.res.headers.set("server-timing", serverTiming(context, started));
  c.res = onceSent(c.res, () => {
    closeContext(context);
    logRequest(c, context, started);
  });
};

/** Whatever escapes a route, as JSON; an unknown failure shows its request id and nothing else. */
export function answerError(error: unknown, c: RequestContext): Response {
  const mapped = toAppError(error);
  logFailure(mapped, c.get("requestId"));
  const retryAfter = retryAfterOf(mapped);
  if (retryAfter !== undefined) c.header("retry-after", String(retryAfter));
  const { code, message, reason, field } = mapped;
  return c.json({ error: { code, message, reason, field, requestId: c.get("requestId") } }, statusOf(mapped));
}

/** Logs what a client must not see: why a request failed through no fault of its own. */
export function logFailure({ code, cause }: AppError, requestId: string): void {
  if (code === "INTERNAL") logLine("error", "request failed", { requestId, error: describeError(cause) });
  if (code === "UNAVAILABLE") logLine("warn", "database out of reach", { requestId, error: describeError(cause) });
}

function logRequest(c: RequestContext, { trips, requestId, discretion }: Context, started: number): void {
  logLine("info", "request", {
    requestId,
    method: c.req.method,
    // What comes behind may be a token.
    path: discretion.needed ? c.req.path.split("/").slice(0, 4).join("/") : c.req.path,
    status: c.res.status,
    ms: Math.round(performance.now() - started),
    trips: trips.total,
  });
}
