import type { AnyRouter } from "@trpc/server";
import type { Hono } from "hono";
import type { Context, Runtime } from "./context.ts";
import type { Job } from "./jobs.ts";

export type HonoEnv = { Bindings: Cloudflare.Env; Variables: { context: Context } };

/** What a domain brings: its face towards the registry. Everything but `routers` is optional. */
export interface Module {
  /** tRPC routers by the name under which clients find them. */
  routers: Record<string, AnyRouter>;
  /** Plain HTTP routes. */
  routes?: (app: Hono<HonoEnv>) => void;
  /** Handlers of queued work. */
  jobs?: Job[];
  /** Scheduled work by its cron expression, which also stands in wrangler.toml. */
  crons?: Record<string, (runtime: Runtime) => Promise<void>>;
}

/** Types a domain's face without widening it. */
export function defineModule<const M extends Module>(module: M): M {
  return module;
}
