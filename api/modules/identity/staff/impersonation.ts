import { randomBytes } from "node:crypto";
import { and, eq, identityPrefixes, impersonationMinutes, isNotNull, session, user } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { serializeSigned } from "hono/utils/cookie";
import { audit } from "../../../core/audit.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import type { UserContext } from "../../../core/procedures.ts";
import type { ImpersonateInput, SessionIdInput } from "../input.ts";
import { assertAdmin, assertImpersonable, assertMayActOn } from "../policy.ts";
import { ownSession } from "../queries.ts";

/**
 * A bearer token that acts as the user for an hour. It opens the API, but none of the sign-in flows; it ends when its
 * admin is banned or loses the role, or when the user becomes staff.
 */
export async function impersonateUser(ctx: UserContext, { userId, reason }: ImpersonateInput) {
  assertMayActOn(ctx.caller, userId);
  const token = randomBytes(24).toString("base64url");
  const createdAt = new Date();
  const expiresAt = new Date(createdAt.getTime() + impersonationMinutes * 60_000);
  const sessionId = newId(identityPrefixes.session);
  await ctx.rls(async (tx) => {
    const [target] = await tx
      .select({ role: user.role, banned: user.banned, banExpires: user.banExpires })
      .from(user)
      .where(eq(user.id, userId));
    if (!target) throw new AppError("NOT_FOUND", "No such user");
    assertImpersonable(target);
    const who = { userId, impersonatedBy: ctx.caller.user.id };
    await tx.insert(session).values({ id: sessionId, token, ...who, createdAt, expiresAt, ipAddress: ctx.ip });
    audit(ctx, tx, { action: "user.impersonate", target: userId, after: { sessionId, reason, expiresAt } });
  });
  return { token: await signed(token, ctx.env.AUTH_SECRET), sessionId, expiresAt };
}

/** Ends a session in which an admin acts as a user, one's own or a colleague's. */
export function stopImpersonating(ctx: UserContext, { sessionId }: SessionIdInput) {
  assertAdmin(ctx.caller);
  const acting = and(eq(session.id, sessionId), isNotNull(session.impersonatedBy));
  return ctx.rls(async (tx) => {
    const [ended] = await tx
      .delete(session)
      .where(acting)
      .returning({ userId: session.userId, ...ownSession });
    if (!ended) throw new AppError("NOT_FOUND", "No such session");
    const { userId, id, impersonatedBy } = ended;
    audit(ctx, tx, { action: "user.stopImpersonating", target: userId, before: { sessionId: id, impersonatedBy } });
    return { id };
  });
}

/** As the session cookie carries it: without the signature, a token read from the table opens nothing. */
async function signed(token: string, secret: string): Promise<string> {
  const line = await serializeSigned("token", token, secret);
  return line.slice("token=".length).split(";")[0] ?? "";
}
