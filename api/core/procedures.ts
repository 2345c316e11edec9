import type { MemberRole } from "@repo/db";
import { initTRPC } from "@trpc/server";
import type { Caller } from "./caller.ts";
import type { Context } from "./context.ts";
import type { Tx } from "./database/doors.ts";
import { type Actor, type Claims, rls } from "./database/rls.ts";
import { AppError } from "./errors/app-error.ts";
import { toAppError, toTrpcError } from "./errors/http.ts";

export interface ProcedureMeta {
  /** The scope that an API key needs: `<module>:<read|write>`. */
  scope: `${string}:${"read" | "write"}`;
  /** Budget: how often a single call waits for the database, its caller included. */
  trips: number;
  /** The most that a rare path may take, where it is more: a retry after a collision. */
  maxTrips?: number;
}

const t = initTRPC
  .context<Context>()
  .meta<ProcedureMeta>()
  .create({
    errorFormatter({ shape, error, ctx }) {
      const { code, message, reason, field } = toAppError(error);
      return {
        code: shape.code,
        message,
        data: {
          code,
          httpStatus: shape.data.httpStatus,
          path: shape.data.path,
          requestId: ctx?.requestId,
          reason,
          field,
        },
      };
    },
  });

export const router = t.router;
export const createCallerFactory = t.createCallerFactory;

/** The third door, bound to the caller: one transaction under the caller's policies. */
export type Rls = <T>(callback: (tx: Tx) => Promise<T>) => Promise<T>;

/** What the services of signed-in users' procedures get. */
export type UserContext = Context & { caller: Caller; rls: Rls };

/** What the services of members' procedures get: the organization is certain, and the caller's role in it. */
export type MemberContext = UserContext & { caller: Caller & NonNullable<Caller["membership"]> };

function bindRls(ctx: Context, actor: Actor, type: "query" | "mutation" | "subscription"): Rls {
  const readOnly = type !== "mutation";
  return (callback) => {
    if (!readOnly) ctx.freshness.wrote = true;
    return rls(ctx.dbDirect, { ...actor, readOnly }, callback);
  };
}

function claimsOf({ user, membership }: Caller): Claims {
  return { sub: user.id, role: user.role, ...(membership ? { org: membership.organizationId } : {}) };
}

/** Whatever a procedure throws becomes an AppError here, once. */
const base = t.procedure.use(async ({ next }) => {
  const result = await next();
  if (!result.ok) throw toTrpcError(toAppError(result.error));
  return result;
});

/** Open to everybody. `rls` speaks for an anonymous visitor, whoever calls; the caller is resolved only on demand. */
export const publicProcedure = base.use(({ ctx, type, next }) =>
  next({ ctx: { rls: bindRls(ctx, { role: "anonymous", claims: {} }, type) } }),
);

/** For signed-in users. `rls` sees what is the caller's own. */
export const userProcedure = base.use(async ({ ctx, type, next }) => {
  const caller = await ctx.findCaller();
  if (!caller) throw new AppError("UNAUTHENTICATED", "Sign in first");
  return next({ ctx: { caller, rls: bindRls(ctx, { role: "authenticated", claims: claimsOf(caller) }, type) } });
});

/** For members of the organization that the request speaks for. */
export const memberProcedure = userProcedure.use(({ ctx, next }) => {
  const { membership } = ctx.caller;
  if (!membership) {
    throw new AppError("FORBIDDEN", "Choose an organization first", { reason: "no_organization" });
  }
  return next({ ctx: { caller: { ...ctx.caller, membership, ...membership } } });
});

function atLeast(...roles: MemberRole[]) {
  return memberProcedure.use(({ ctx, next }) => {
    if (!roles.includes(ctx.caller.role)) {
      throw new AppError("FORBIDDEN", `Needs the role ${roles.join(" or ")}`, { reason: "role_too_low" });
    }
    return next();
  });
}

export const adminProcedure = atLeast("admin", "owner");
export const ownerProcedure = atLeast("owner");

/** For the platform's own staff. `rls` takes on the staff role, `support` or `admin`. */
export const staffProcedure = userProcedure.use(({ ctx, type, next }) => {
  const { role } = ctx.caller.user;
  if (role === "user") throw new AppError("FORBIDDEN", "For staff only");
  return next({ ctx: { rls: bindRls(ctx, { role, claims: claimsOf(ctx.caller) }, type) } });
});
