import { and, eq, sql, usageLimit } from "@repo/db";
import { audit } from "../../../core/audit.ts";
import type { Tx } from "../../../core/database/doors.ts";
import { withConflicts } from "../../../core/errors/database.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { noOwner } from "../errors.ts";
import type { LimitSetInput } from "../input.ts";
import { assertMaySetLimits, type Owner } from "../policy.ts";
import { findOwner, limitDetail, ownedBy } from "../queries.ts";

const conflicts = {
  usage_limit_user_id_user_id_fk: noOwner,
  usage_limit_organization_id_organization_id_fk: noOwner,
};

/** Sets, changes or takes away a limit. It counts from the owner's next call on. */
export function setUsageLimit(ctx: UserContext, { userId, organizationId, max, ...which }: LimitSetInput) {
  assertMaySetLimits(ctx.caller.user);
  const owner = { userId: userId ?? null, organizationId: organizationId ?? null } as Owner;
  const wanted = and(
    ownedBy(usageLimit, owner),
    eq(usageLimit.metric, which.metric),
    eq(usageLimit.period, which.period),
    eq(usageLimit.hard, which.hard),
  );
  return withConflicts(conflicts, () =>
    ctx.rls(async (tx) => {
      const [[owning], [before], [after]] = await Promise.all([
        findOwner(tx, owner),
        tx.select(limitDetail).from(usageLimit).where(wanted).for("update"),
        max === null
          ? tx.delete(usageLimit).where(wanted).returning(limitDetail)
          : upsert(tx, { ...owner, ...which, max }),
      ]);
      if (!owning) throw noOwner();
      const now = max === null ? undefined : after;
      const target = organizationId ?? userId ?? "";
      audit(ctx, tx, { action: "usage.setLimit", target, before, after: now, organizationId: owner.organizationId });
      return now ?? null;
    }),
  );
}

function upsert(tx: Tx, values: typeof usageLimit.$inferInsert) {
  const owner = values.organizationId ? usageLimit.organizationId : usageLimit.userId;
  return tx
    .insert(usageLimit)
    .values(values)
    .onConflictDoUpdate({
      target: [owner, usageLimit.metric, usageLimit.period, usageLimit.hard],
      targetWhere: sql`${owner} is not null`,
      set: { max: sql`excluded.max`, updatedAt: new Date() },
    })
    .returning(limitDetail);
}
