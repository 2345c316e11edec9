import { and, apiKey, sql } from "@repo/db";
import { audit } from "../../../core/audit.ts";
import type { Tx } from "../../../core/database/doors.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { creatorStays, noKey, notActive } from "../errors.ts";
import type { KeyIdInput, TakeOverInput, UpdateInput } from "../input.ts";
import { assertMayManage, assertMayWiden, type Owner } from "../policy.ts";
import { apiKeyDetail, creatorLeft, isActive, keyOf } from "../queries.ts";
import { assertKnown } from "../scopes.ts";

interface Change {
  action: string;
  id: string;
  values: Partial<typeof apiKey.$inferInsert>;
}

/** Sets columns of a key that is neither revoked nor expired; answers it as it was and as it is. */
async function setActive(ctx: UserContext, [tx, owner]: [Tx, Owner], { action, id, values }: Change) {
  const wanted = keyOf(owner, id);
  const [[before], [after]] = await Promise.all([
    tx.select(apiKeyDetail).from(apiKey).where(wanted).for("no key update"),
    tx.update(apiKey).set(values).where(and(wanted, isActive)).returning(apiKeyDetail),
  ]);
  if (!before) throw noKey();
  if (!after) throw notActive();
  audit(ctx, tx, { action, target: id, before, after, organizationId: owner.organizationId });
  return { before, after };
}

export function updateApiKey(ctx: UserContext, { owner: whose, id, ...values }: UpdateInput) {
  const owner = assertMayManage(ctx.caller, whose);
  if (values.scopes) assertKnown(values.scopes);
  return ctx.rls(async (tx) => {
    const { before, after } = await setActive(ctx, [tx, owner], { action: "apiKey.update", id, values });
    assertMayWiden(ctx.caller, before, after.scopes);
    return after;
  });
}

/** Ends a key: its next request is refused. */
export function revokeApiKey(ctx: UserContext, { owner: whose, id }: KeyIdInput) {
  const owner = assertMayManage(ctx.caller, whose);
  return ctx.rls(async (tx) => {
    const values = { revokedAt: new Date() };
    const { after } = await setActive(ctx, [tx, owner], { action: "apiKey.revoke", id, values });
    return after;
  });
}

/** Stands in for a key whose creator has left: from now on it has the caller's rights at most. */
export function takeOverApiKey(ctx: UserContext, { id }: TakeOverInput) {
  const owner = assertMayManage(ctx.caller, "organization");
  const wanted = keyOf(owner, id);
  return ctx.rls(async (tx) => {
    const [[before], [after]] = await Promise.all([
      // The lock makes a second one wait, and then see who stands for the key by now.
      tx
        .select({ ...apiKeyDetail, isActive: sql<boolean>`${isActive}` })
        .from(apiKey)
        .where(wanted)
        .for("no key update"),
      tx
        .update(apiKey)
        .set({ createdBy: ctx.caller.user.id })
        .where(and(wanted, isActive, creatorLeft))
        .returning(apiKeyDetail),
    ]);
    if (!before) throw noKey();
    if (!before.isActive) throw notActive();
    if (!after) throw creatorStays();
    const { isActive: _, ...old } = before;
    audit(ctx, tx, {
      action: "apiKey.takeOver",
      target: id,
      before: old,
      after,
      organizationId: owner.organizationId,
    });
    return after;
  });
}
