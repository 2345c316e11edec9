import type { AnyRouter } from "@trpc/server";
import type { Hono, MiddlewareHandler } from "hono";
import type { CallerSource, Context, Runtime } from "./context.ts";
import type { Db, Tx } from "./database/doors.ts";
import type { Job } from "./jobs.ts";
import type { UserContext } from "./procedures.ts";

export type HonoEnv = { Bindings: Cloudflare.Env; Variables: { context: Context } };

/** What a domain brings: its face towards the registry. Everything but `routers` is optional. */
export interface Module {
  /** tRPC routers by the name under which clients find them. */
  routers: Record<string, AnyRouter>;
  /** Another way to know who sent a request, asked before the session is. */
  callers?: CallerSource;
  /** Runs around every request, inside its context. */
  middleware?: MiddlewareHandler<HonoEnv>;
  /** Plain HTTP routes. */
  routes?: (app: Hono<HonoEnv>) => void;
  /** Handlers of queued work. */
  jobs?: Job[];
  /** Scheduled work by its cron expression, which also stands in wrangler.toml. */
  crons?: Record<string, (runtime: Runtime) => Promise<void>>;
  /** All that the domain keeps about one person, under names of its own; `tx` sees what that person may see. */
  exportUser?: (tx: Tx, userId: string) => Promise<Record<string, unknown>>;
  /**
   * Runs in the transaction that deletes the caller's account, before it does. A throw keeps the account. Its first
   * statement must not wait for an answer, so that it costs no trip.
   */
  beforeDeleteUser?: (ctx: UserContext, tx: Tx) => Promise<void>;
  /**
   * Hands what a guest made over to the account that they signed in to, in the transaction that then deletes the guest.
   * `tx` is the direct door: call a `security definer` function of the domain's.
   */
  adoptUser?: (tx: Pick<Db, "select">, change: { guestId: string; userId: string }) => Promise<void>;
  /** Gets every module once the registry knows them, for domains that compose what others bring. */
  compose?: (modules: readonly Module[]) => void;
}

/** Types a domain's face without widening it. */
export function defineModule<const M extends Module>(module: M): M {
  return module;
}
