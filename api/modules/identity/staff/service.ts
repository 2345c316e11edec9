import { and, desc, eq, inArray, lt, or, session, user } from "@repo/db";
import { audit } from "../../../core/audit.ts";
import type { Tx } from "../../../core/database/doors.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import { toPage } from "../../../core/pagination.ts";
import type { UserContext } from "../../../core/procedures.ts";
import type { BanInput, UserIdInput, UserListInput } from "../input.ts";
import { assertMayActOn, assertStillAdmin } from "../policy.ts";
import { findAccess, matches, staffUser } from "./queries.ts";

const noSuchUser = () => new AppError("NOT_FOUND", "No such user");

/** Everybody, newest first. */
export async function listUsers({ rls }: UserContext, { limit, cursor, search }: UserListInput) {
  const wanted = and(search ? matches(search) : undefined, cursor ? lt(user.id, cursor) : undefined);
  const rows = await rls((tx) =>
    tx
      .select(staffUser)
      .from(user)
      .where(wanted)
      .orderBy(desc(user.id))
      .limit(limit + 1),
  );
  return toPage(rows, limit, ({ id }) => id);
}

export async function getUser({ rls }: UserContext, { userId }: UserIdInput) {
  const [[row], [sessions, identities, passkeys]] = await rls((tx) =>
    Promise.all([tx.select(staffUser).from(user).where(eq(user.id, userId)), findAccess(tx, userId)]),
  );
  if (!row) throw noSuchUser();
  return { ...row, sessions, identities, passkeys };
}

/** Shuts the user out: all sessions end with the same COMMIT, those in which they act as somebody else included. */
export function banUser(ctx: UserContext, { userId, reason, until }: BanInput) {
  assertMayActOn(ctx.caller, userId);
  return ctx.rls(async (tx) => {
    const values = { banned: true, banReason: reason, banExpires: until ?? null };
    const [changed] = await Promise.all([
      setBan(ctx, tx, { userId, ...values }),
      tx.delete(session).where(or(eq(session.userId, userId), eq(session.impersonatedBy, userId))),
    ]);
    audit(ctx, tx, { action: "user.ban", target: userId, ...changed });
    return changed.after;
  });
}

export function unbanUser(ctx: UserContext, { userId }: UserIdInput) {
  assertMayActOn(ctx.caller, userId);
  return ctx.rls(async (tx) => {
    const changed = await setBan(ctx, tx, { userId, banned: false, banReason: null, banExpires: null });
    audit(ctx, tx, { action: "user.unban", target: userId, ...changed });
    return changed.after;
  });
}

type Ban = Pick<typeof user.$inferSelect, "banned" | "banReason" | "banExpires">;

/** Judged by what the caller is under the lock: of two admins who ban each other, one stays. */
async function setBan({ caller }: UserContext, tx: Tx, { userId, ...ban }: Ban & UserIdInput) {
  const both = inArray(user.id, [caller.user.id, userId]);
  const [people, [after]] = await Promise.all([
    tx.select(staffUser).from(user).where(both).orderBy(user.id).for("no key update"),
    tx.update(user).set(ban).where(eq(user.id, userId)).returning(staffUser),
  ]);
  assertStillAdmin(people.find(({ id }) => id === caller.user.id));
  const before = people.find(({ id }) => id === userId);
  if (!before || !after) throw noSuchUser();
  return { before, after };
}
