import type { MiddlewareHandler } from "hono";
import type { HonoEnv } from "../../core/modules.ts";
import { keyUse, secondsUntil } from "./caller.ts";
import { queueUsage } from "./usage.ts";

/** Tells callers with an API key what they have left, and queues what they used behind the answer. */
export const withUsage: MiddlewareHandler<HonoEnv> = async (c, next) => {
  await next();
  const context = c.get("context");
  const use = keyUse(context);
  if (!use) return;
  if (use.limit_max !== null && use.limit_resets_at !== null) {
    c.res.headers.set("ratelimit-limit", use.limit_max);
    c.res.headers.set("ratelimit-remaining", String(use.limit_left));
    c.res.headers.set("ratelimit-reset", String(secondsUntil(use.limit_resets_at)));
  }
  if (use.warned) c.res.headers.set("x-usage-warning", "over a soft limit");
  if (use.allowed) context.waitUntil(queueUsage(context, use));
};
