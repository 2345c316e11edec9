import type { MemberRole } from "@repo/db";
import { initTRPC } from "@trpc/server";
import { type Caller, isPerson, type Membership, type PersonCaller, type Scope, type SessionCaller } from "./caller.ts";
import type { Context } from "./context.ts";
import type { Tx } from "./database/doors.ts";
import { type Actor, type Claims, rls } from "./database/rls.ts";
import { AppError } from "./errors/app-error.ts";
import { toAppError, toTrpcError } from "./errors/http.ts";
import { hashPayload, readIdempotencyKey, rlsOnce } from "./idempotency.ts";

export interface ProcedureMeta {
  /** The scope that an API key needs, `<module>:<read|write>`; false, or no `meta` at all: no key may call it. */
  scope: Scope | false;
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
    // Told from an answer that is sent whole: it goes on after its headers have left.
    jsonl: { contentType: "application/jsonl" },
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

/** What the services of known callers' procedures get. */
export type CallerContext = Context & { caller: Caller; rls: Rls };

/** What the services of people's procedures get. */
export type UserContext = Context & { caller: PersonCaller; rls: Rls };

/** The same, where the caller has signed in here. */
export type SessionContext = Context & { caller: SessionCaller; rls: Rls };

/** What the services of members' procedures get: the organization is certain, the caller's role in it; not the person. */
export type MemberContext = Context & { caller: Caller & Membership; rls: Rls };

/** The same, where a person is certain too. */
export type MemberUserContext = Context & { caller: PersonCaller & Membership; rls: Rls };

/** What a middleware knows of the call under way. */
interface Call {
  type: "query" | "mutation" | "subscription";
  path: string;
  meta: ProcedureMeta | undefined;
  getRawInput(): Promise<unknown>;
}

function bindRls(ctx: Context, actor: Actor, readOnly: boolean): Rls {
  return (callback) => {
    if (!readOnly) ctx.freshness.wrote = true;
    return rls(ctx.dbDirect, { ...actor, readOnly }, callback);
  };
}

/** `rls` for a known caller: a mutation that carries an idempotency key has its effect once, however often it is sent. */
async function bindCallerRls(ctx: Context, actor: Actor, call: Call): Promise<Rls> {
  // A key that was let in to read writes nothing, whatever the procedure does.
  const readOnly = call.type !== "mutation" || (actor.claims.key !== undefined && !mayWrite(call.meta));
  const idempotencyKey = readOnly ? undefined : readIdempotencyKey(ctx.headers);
  if (idempotencyKey === undefined) return bindRls(ctx, actor, readOnly);
  const { sub = "", org = "", key = sub } = actor.claims;
  const payloadHash = hashPayload(await call.getRawInput());
  const once = { caller: key, organization: org, procedure: call.path, key: idempotencyKey, payloadHash };
  const keepsAnswer = !call.meta?.secret;
  let step = 0;
  return (callback) => {
    ctx.freshness.wrote = true;
    return rlsOnce(ctx.dbDirect, actor, [once, { step: step++, keepsAnswer, callback }]);
  };
}

function mayWrite(meta: ProcedureMeta | undefined): boolean {
  return meta?.scope !== undefined && meta.scope !== false && meta.scope.endsWith(":write");
}

function claimsOf(caller: Caller): Claims {
  const { user, membership } = caller;
  return {
    ...(user ? { sub: user.id } : {}),
    // A key never acts as staff, whoever made it.
    role: caller.via === "key" ? "user" : caller.user.role,
    ...(membership ? { org: membership.organizationId } : {}),
    ...(caller.via === "key" ? { key: caller.keyId } : {}),
  };
}

/** Whatever a procedure throws becomes an AppError here, once. */
const base = t.procedure.use(async ({ next }) => {
  const result = await next();
  if (!result.ok) throw toTrpcError(toAppError(result.error));
  return result;
});

/** Open to everybody. `rls` speaks for an anonymous visitor, whoever calls; the caller is resolved only on demand. */
export const publicProcedure = base.use(({ ctx, type, next }) =>
  next({ ctx: { rls: bindRls(ctx, { role: "anonymous", claims: {} }, type !== "mutation") } }),
);

/** For whoever is known, an API key only within its scopes. */
export const callerProcedure = base.use(async ({ ctx, next, ...call }) => {
  ctx.calls.begun.push(call.path);
  const caller = await ctx.findCaller(call.meta?.scope ?? false);
  if (!caller) throw new AppError("UNAUTHENTICATED", "Sign in first");
  const actor = { role: "authenticated", claims: claimsOf(caller) } as const;
  return next({ ctx: { caller, rls: await bindCallerRls(ctx, actor, call) } });
});

const needsPerson = () => new AppError("FORBIDDEN", "For people, not for an organization's key", { reason: "no_user" });

/** For people: signed in, or through an API key of their own. `rls` sees what is the caller's own. */
export const userProcedure = callerProcedure.use(({ ctx, next }) => {
  if (!isPerson(ctx.caller)) throw needsPerson();
  return next({ ctx: { caller: ctx.caller } });
});

/** For people who have signed in here, since it is about the session, or asks for the person at the keyboard. */
export const sessionProcedure = userProcedure.use(({ ctx, next }) => {
  if (ctx.caller.via !== "session") throw new AppError("FORBIDDEN", "Needs a session", { reason: "no_session" });
  return next({ ctx: { caller: ctx.caller } });
});

/** For members of the organization that the request speaks for, and for its API keys: there is not always a person. */
export const memberProcedure = callerProcedure.use(({ ctx, next }) => {
  const { membership } = ctx.caller;
  if (!membership) {
    throw new AppError("FORBIDDEN", "Choose an organization first", { reason: "no_organization" });
  }
  return next({ ctx: { caller: { ...ctx.caller, membership, ...membership } } });
});

/** For members in person, where it matters who it is: no organization's key gets here. */
export const memberUserProcedure = memberProcedure.use(({ ctx, next }) => {
  const { organizationId, role } = ctx.caller;
  if (!isPerson(ctx.caller)) throw needsPerson();
  return next({ ctx: { caller: { ...ctx.caller, organizationId, role } } });
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

/** For the platform's own staff, never through a key. `rls` takes on the staff role, `support` or `admin`. */
export const staffProcedure = userProcedure.use(async ({ ctx, next, ...call }) => {
  const { role } = ctx.caller.user;
  if (ctx.caller.via === "key") throw new AppError("FORBIDDEN", "Not for API keys", { reason: "not_for_keys" });
  if (role === "user") throw new AppError("FORBIDDEN", "For staff only");
  return next({ ctx: { rls: await bindCallerRls(ctx, { role, claims: claimsOf(ctx.caller) }, call) } });
});
