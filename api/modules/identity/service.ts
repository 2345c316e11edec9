import { and, eq, ne, session, user } from "@repo/db";
import { audit } from "../../core/audit.ts";
import { assertInPerson } from "../../core/caller.ts";
import { AppError } from "../../core/errors/app-error.ts";
import type { SessionContext, UserContext } from "../../core/procedures.ts";
import type { SessionIdInput, UpdateUserInput } from "./input.ts";
import { exportFromModules, prepareDeletion } from "./others.ts";
import { assertFreshSignIn } from "./policy.ts";
import { findIdentities, findPasskeys, findSessions, ownSession, ownUser } from "./queries.ts";

export function getMe({ caller }: Pick<UserContext, "caller">) {
  const { user: me, membership } = caller;
  const impersonatedBy = caller.via === "session" ? caller.impersonatedBy : null;
  return { ...me, impersonatedBy, membership };
}

// The account may be deleted while one of its requests is under way.
const gone = () => new AppError("UNAUTHENTICATED", "This account no longer exists");

export function updateUser(ctx: UserContext, { name, image }: UpdateUserInput) {
  const own = eq(user.id, ctx.caller.user.id);
  return ctx.rls(async (tx) => {
    const [[before], [after]] = await Promise.all([
      tx.select(ownUser).from(user).where(own).for("no key update"),
      tx.update(user).set({ name, image }).where(own).returning(ownUser),
    ]);
    if (!before || !after) throw gone();
    audit(ctx, tx, { action: "user.update", target: after.id, before, after });
    return after;
  });
}

export async function listSessions({ caller, rls }: UserContext) {
  const sessions = await rls((tx) => findSessions(tx, caller.user.id));
  const current = caller.via === "session" ? caller.sessionId : undefined;
  return sessions.map((row) => ({ ...row, current: row.id === current }));
}

export function revokeSession(ctx: UserContext, { sessionId }: SessionIdInput) {
  const own = and(eq(session.id, sessionId), eq(session.userId, ctx.caller.user.id));
  return ctx.rls(async (tx) => {
    const [before] = await tx.delete(session).where(own).returning(ownSession);
    if (!before) throw new AppError("NOT_FOUND", "No such session");
    audit(ctx, tx, { action: "user.revokeSession", target: sessionId, before });
    return { id: sessionId };
  });
}

/** Signs the user out everywhere but here. */
export function revokeOtherSessions(ctx: SessionContext) {
  const { sessionId, user: me } = ctx.caller;
  const others = and(eq(session.userId, me.id), ne(session.id, sessionId));
  return ctx.rls(async (tx) => {
    const rows = await tx.delete(session).where(others).returning(ownSession);
    for (const before of rows) audit(ctx, tx, { action: "user.revokeSession", target: before.id, before });
    return { revoked: rows.length };
  });
}

/** All that is kept about the person: the account here, everything else from the modules that keep it. */
export async function exportUser({ caller, rls }: UserContext) {
  assertInPerson(caller);
  const { id } = caller.user;
  const [[row], sessions, identities, passkeys, rest] = await rls((tx) =>
    Promise.all([
      tx.select(ownUser).from(user).where(eq(user.id, id)),
      findSessions(tx, id),
      findIdentities(tx, id),
      findPasskeys(tx, id),
      exportFromModules(tx, id),
    ]),
  );
  if (!row) throw gone();
  return { exportedAt: new Date(), user: row, sessions, identities, passkeys, ...rest };
}

/** Deletes the account; whatever belongs to it goes with it, unless another module objects. */
export function deleteUser(ctx: SessionContext) {
  assertFreshSignIn(ctx.caller);
  const own = eq(user.id, ctx.caller.user.id);
  return ctx.rls(async (tx) => {
    // Under the lock the person joins nothing more, so that the preparations see all there is. It is sent first: a
    // statement that is merely awaited leaves later than one that is executed.
    const [[before]] = await Promise.all([
      tx.select({ id: user.id }).from(user).where(own).for("update").execute(),
      prepareDeletion(ctx, tx),
    ]);
    if (!before) throw gone();
    audit(ctx, tx, { action: "user.delete", target: before.id, before });
    // Behind the audit rows, which may ask what the person was a member of; the lock makes sure of the row.
    tx.withCommit(tx.delete(user).where(own));
    return before;
  });
}
