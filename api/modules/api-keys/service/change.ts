import { and, apiKey, type SQL, sql } from "@repo/db";
import type { PgUpdateSetSource } from "drizzle-orm/pg-core";
import { audit } from "../../../core/audit.ts";
import type { Tx } from "../../../core/database/doors.ts";
import type { AppError } from "../../../core/errors/app-error.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { creatorStays, noKey, notActive } from "../errors.ts";
import type { KeyIdInput, TakeOverInput, UpdateInput } from "../input.ts";
import { assertMayManage, assertMayWiden, type Owner } from "../policy.ts";
import { apiKeyDetail, creatorLeft, isActive, keyOf } from "../queries.ts";
import { assertKnown } from "../scopes.ts";

interface Change {
  action: string;
  id: string;
  values: PgUpdateSetSource<typeof apiKey>;
  /** What must hold of the key besides being active, and how one is refused of which it does not. */
  only?: { where: SQL; refusal: () => AppError };
}

/**
 * Sets columns of a key that is neither revoked nor expired, with its audit row; answers it as it was and as it is.
 * @throws AppError NOT_FOUND, CONFLICT, or what `only` refuses with.
 */
export async function changeActive(ctx: UserContext, [tx, owner]: [Tx, Owner], { action, id, values, only }: Change) {
  const wanted = keyOf(owner, id);
  const [[found], [after]] = await Promise.all([
    // The lock makes a second change wait, and then see the key as it is by now.
    tx
      .select({ ...apiKeyDetail, active: sql<boolean>`${isActive}` })
      .from(apiKey)
      .where(wanted)
      .for("no key update"),
    tx
      .update(apiKey)
      .set(values)
      .where(and(wanted, isActive, only?.where))
      .returning(apiKeyDetail),
  ]);
  if (!found) throw noKey();
  const { active, ...before } = found;
  if (!after) throw active && only ? only.refusal() : notActive();
  audit(ctx, tx, { action, target: id, before, after, organizationId: owner.organizationId });
  return { before, after };
}

export function updateApiKey(ctx: UserContext, { owner: whose, id, ...values }: UpdateInput) {
  const owner = assertMayManage(ctx.caller, whose);
  if (values.scopes) assertKnown(values.scopes);
  return ctx.rls(async (tx) => {
    const { before, after } = await changeActive(ctx, [tx, owner], { action: "apiKey.update", id, values });
    assertMayWiden(ctx.caller, before, after.scopes);
    return after;
  });
}

/** Ends a key: its next request is refused. */
export function revokeApiKey(ctx: UserContext, { owner: whose, id }: KeyIdInput) {
  const owner = assertMayManage(ctx.caller, whose);
  return ctx.rls(async (tx) => {
    const values = { revokedAt: new Date() };
    const { after } = await changeActive(ctx, [tx, owner], { action: "apiKey.revoke", id, values });
    return after;
  });
}

/** Stands in for a key whose creator has left: from now on it has the caller's rights at most. */
export function takeOverApiKey(ctx: UserContext, { id }: TakeOverInput) {
  const owner = assertMayManage(ctx.caller, "organization");
  return ctx.rls(async (tx) => {
    const { after } = await changeActive(ctx, [tx, owner], {
      action: "apiKey.takeOver",
      id,
      values: { createdBy: ctx.caller.user.id },
      only: { where: creatorLeft, refusal: creatorStays },
    });
    return after;
  });
}
