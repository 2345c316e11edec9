import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors/app-error.ts";
import { describeError, logLine } from "../../core/log.ts";
import { networkOf } from "../../core/network.ts";

/** Seconds that wrangler.toml names as `period` of both bindings. */
const period = 10;

/**
 * Stands before the database: refuses a flood with one key, and one of made-up keys from one network. Cloudflare counts
 * by location and roughly; the exact limits are counted by the database. So it fails open: when the binding is away, its
 * calls are still counted there.
 * @throws AppError RATE_LIMITED
 */
export async function assertNoFlood({ env, ip, requestId }: Context, keyHash: string): Promise<void> {
  const verdicts = await Promise.all([
    passes(env.API_KEY_LIMIT, keyHash, requestId),
    passes(env.API_KEY_NETWORK_LIMIT, networkOf(ip), requestId),
  ]);
  if (verdicts.every(Boolean)) return;
  throw new AppError("RATE_LIMITED", "Too many calls at once", { reason: "too_fast", retryAfter: period });
}

async function passes(limiter: RateLimit, key: string, requestId: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch (error) {
    logLine("warn", "rate limiter is away", { requestId, error: describeError(error) });
    return true;
  }
}
