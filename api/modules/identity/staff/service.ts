import { and, desc, eq, lt, or, session, user } from "@repo/db";
import { audit } from "../../../core/audit.ts";
import type { Tx } from "../../../core/database/doors.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import { toPage } from "../../../core/pagination.ts";
import type { UserContext } from "../../../core/procedures.ts";
import type { BanInput, UserIdInput, UserListInput } from "../input.ts";
import { assertMayActOn } from "../policy.ts";
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
      setBan(tx, userId, values),
      tx.delete(session).where(or(eq(session.userId, userId), eq(session.impersonatedBy, userId))),
    ]);
    audit(ctx, tx, { action: "user.ban", target: userId, ...changed });
    return changed.after;
  });
}

export function unbanUser(ctx: UserContext, { userId }: UserIdInput) {
  assertMayActOn(ctx.caller, userId);
  return ctx.rls(async (tx) => {
    const changed = await setBan(tx, userId, { banned: false, banReason: null, banExpires: null });
    audit(ctx, tx, { action: "user.unban", target: userId, ...changed });
    return changed.after;
  });
}

type Ban = Pick<typeof user.$inferSelect, "banned" | "banReason" | "banExpires">;

async function setBan(tx: Tx, userId: string, ban: Ban) {
  const wanted = eq(user.id, userId);
  const [[before], [after]] = await Promise.all([
    tx.select(staffUser).from(user).where(wanted).for("no key update"),
    tx.update(user).set(ban).where(wanted).returning(staffUser),
  ]);
  if (!before || !after) throw noSuchUser();
  return { before, after };
}
