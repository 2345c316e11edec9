import type { MemberRole } from "@repo/db";
import { initTRPC } from "@trpc/server";
import type { Caller } from "./caller.ts";
import type { Context } from "./context.ts";
import type { Tx } from "./database/doors.ts";
import { type Actor, type Claims, rls } from "./database/rls.ts";
import { AppError } from "./errors/app-error.ts";
import { toAppError, toTrpcError } from "./errors/http.ts";
import { hashPayload, readIdempotencyKey, rlsOnce } from "./idempotency.ts";

export interface ProcedureMeta {
  /** The scope that an API key needs: `<module>:<read|write>`. */
  scope: `${string}:${"read" | "write"}`;
  /** Budget: how often a single call waits for the database, its caller included. */
  trips: number;
  /** Whether the answer holds a secret, which is shown once and never stored. */
  secret?: true;
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

/** What a middleware knows of the call under way. */
interface Call {
  type: "query" | "mutation" | "subscription";
  path: string;
  meta: ProcedureMeta | undefined;
  getRawInput(): Promise<unknown>;
}

function bindRls(ctx: Context, actor: Actor, { type }: Pick<Call, "type">): Rls {
  const readOnly = type !== "mutation";
  return (callback) => {
    if (!readOnly) ctx.freshness.wrote = true;
    return rls(ctx.dbDirect, { ...actor, readOnly }, callback);
  };
}

/** `rls` for a known caller: a mutation that carries an idempotency key has its effect once, however often it is sent. */
async function bindCallerRls(ctx: Context, actor: Actor, call: Call): Promise<Rls> {
  const key = call.type === "mutation" ? readIdempotencyKey(ctx.headers) : undefined;
  if (key === undefined) return bindRls(ctx, actor, call);
  const { sub = "", org = "" } = actor.claims;
  const payloadHash = hashPayload(await call.getRawInput());
  const once = { caller: sub, organization: org, procedure: call.path, key, payloadHash };
  const keepsAnswer = !call.meta?.secret;
  let step = 0;
  return (callback) => {
    ctx.freshness.wrote = true;
    return rlsOnce(ctx.dbDirect, actor, [once, { step: step++, keepsAnswer, callback }]);
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
  next({ ctx: { rls: bindRls(ctx, { role: "anonymous", claims: {} }, { type }) } }),
);

/** For signed-in users. `rls` sees what is the caller's own. */
export const userProcedure = base.use(async ({ ctx, next, ...call }) => {
  const caller = await ctx.findCaller();
  if (!caller) throw new AppError("UNAUTHENTICATED", "Sign in first");
  const actor = { role: "authenticated", claims: claimsOf(caller) } as const;
  return next({ ctx: { caller, rls: await bindCallerRls(ctx, actor, call) } });
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
export const staffProcedure = userProcedure.use(async ({ ctx, next, ...call }) => {
  const { role } = ctx.caller.user;
  if (role === "user") throw new AppError("FORBIDDEN", "For staff only");
  return next({ ctx: { rls: await bindCallerRls(ctx, { role, claims: claimsOf(ctx.caller) }, call) } });
});
