import type { MiddlewareHandler } from "hono";
import { onceSent } from "../../core/http/headers.ts";
import type { HonoEnv } from "../../core/modules.ts";
import { keyUse, secondsUntil } from "./caller.ts";
import { queueUsage } from "./usage.ts";

/** Tells callers with an API key what they have left, and queues what they used behind the answer. */
export const withUsage: MiddlewareHandler<HonoEnv> = async (c, next) => {
  await next();
  const context = c.get("context");
  tellWhatIsLeft(c.res.headers, keyUse(context));
  // A streamed answer begins before its caller is known.
  c.res = onceSent(c.res, () => {
    const use = keyUse(context);
    if (use?.allowed) context.waitUntil(queueUsage(context, use));
  });
};

function tellWhatIsLeft(headers: Headers, use: ReturnType<typeof keyUse>): void {
  if (!use) return;
  if (use.limit_max !== null && use.limit_resets_at !== null) {
    headers.set("ratelimit-limit", use.limit_max);
    headers.set("ratelimit-remaining", String(use.limit_left));
    headers.set("ratelimit-reset", String(secondsUntil(use.limit_resets_at)));
  }
  if (use.warned) headers.set("x-usage-warning", "over a soft limit");
}
