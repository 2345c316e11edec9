import { and, eq, ne, session, user } from "@repo/db";
import { AppError } from "../../core/errors/app-error.ts";
import type { UserContext } from "../../core/procedures.ts";
import { exportFromModules } from "./export.ts";
import type { SessionIdInput, UpdateUserInput } from "./input.ts";
import { assertFreshSignIn } from "./policy.ts";
import { findIdentities, findSessions, ownUser } from "./queries.ts";

export function getMe({ caller }: Pick<UserContext, "caller">) {
  const { user: me, impersonatedBy, membership } = caller;
  return { ...me, impersonatedBy, membership };
}

// The account may be deleted while one of its requests is under way.
const gone = () => new AppError("UNAUTHENTICATED", "This account no longer exists");

export async function updateUser({ caller, rls }: UserContext, { name, image }: UpdateUserInput) {
  const [row] = await rls((tx) =>
    tx.update(user).set({ name, image }).where(eq(user.id, caller.user.id)).returning(ownUser),
  );
  if (!row) throw gone();
  return row;
}

export async function listSessions({ caller, rls }: UserContext) {
  const sessions = await rls((tx) => findSessions(tx, caller.user.id));
  return sessions.map((row) => ({ ...row, current: row.id === caller.sessionId }));
}

export async function revokeSession({ caller, rls }: UserContext, { sessionId }: SessionIdInput) {
  const own = and(eq(session.id, sessionId), eq(session.userId, caller.user.id));
  const [row] = await rls((tx) => tx.delete(session).where(own).returning({ id: session.id }));
  if (!row) throw new AppError("NOT_FOUND", "No such session");
  return row;
}

/** Signs the user out everywhere but here. */
export async function revokeOtherSessions({ caller, rls }: UserContext) {
  const others = and(eq(session.userId, caller.user.id), ne(session.id, caller.sessionId));
  const rows = await rls((tx) => tx.delete(session).where(others).returning({ id: session.id }));
  return { revoked: rows.length };
}

/** All that is kept about the person: the account here, everything else from the modules that keep it. */
export async function exportUser({ caller, rls }: UserContext) {
  const { id } = caller.user;
  const [[row], sessions, identities, rest] = await rls((tx) =>
    Promise.all([
      tx.select(ownUser).from(user).where(eq(user.id, id)),
      findSessions(tx, id),
      findIdentities(tx, id),
      exportFromModules(tx, id),
    ]),
  );
  if (!row) throw gone();
  return { exportedAt: new Date(), user: row, sessions, identities, ...rest };
}

/** Deletes the account; whatever belongs to it goes with it. */
export async function deleteUser({ caller, rls }: UserContext) {
  assertFreshSignIn(caller);
  const own = eq(user.id, caller.user.id);
  const [row] = await rls((tx) => tx.delete(user).where(own).returning({ id: user.id }));
  if (!row) throw gone();
  return row;
}
