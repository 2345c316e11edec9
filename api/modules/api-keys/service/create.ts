import { and, apiKey, apiKeysPrefixes, count, isNull, sql } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { audit } from "../../../core/audit.ts";
import type { Tx } from "../../../core/database/doors.ts";
import { one } from "../../../core/database/rows.ts";
import { AppError } from "../../../core/errors/app-error.ts";
import { withConflicts } from "../../../core/errors/database.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { noOwner, replaced, tooManyKeys } from "../errors.ts";
import type { CreateInput, RotateInput } from "../input.ts";
import { hashApiKey, makeApiKey, prefixIn } from "../key.ts";
import { assertMayManage, type Owner } from "../policy.ts";
import { apiKeyDetail, isActive, lockOwner, ownedBy } from "../queries.ts";
import { assertKnown } from "../scopes.ts";
import { changeActive } from "./change.ts";

const maxActive = 100;
/** Each of them may be rotated within the overlap of its predecessor. */
const maxWithOverlaps = 2 * maxActive;

const conflicts = {
  api_key_pkey: () => new AppError("CONFLICT", "id: taken already", { reason: "id_taken", field: "id" }),
};

function newSecret({ env }: UserContext) {
  const prefix = prefixIn(env);
  const secret = makeApiKey(prefix);
  return { secret, row: { prefix, lastFour: secret.slice(-4), keyHash: hashApiKey(secret) } };
}

/**
 * Adds a key behind its owner's lock, unless more than `max` would be active.
 * @throws AppError NOT_FOUND when the owner has been deleted, CONFLICT
 */
async function addKey(tx: Tx, owner: Owner, [values, max]: [typeof apiKey.$inferInsert, number]) {
  const [[owning], rows, [active]] = await Promise.all([
    lockOwner(tx, owner),
    tx.insert(apiKey).values(values).returning(apiKeyDetail),
    tx
      .select({ keys: count() })
      .from(apiKey)
      .where(and(ownedBy(apiKey, owner), isActive)),
  ]);
  if (!owning) throw noOwner();
  if ((active?.keys ?? 0) > max) throw tooManyKeys(max);
  return one(rows);
}

/** A new key. The answer holds its secret, which is stored nowhere. */
export function createApiKey(ctx: UserContext, { owner: whose, id, name, scopes, expiresAt }: CreateInput) {
  const owner = assertMayManage(ctx.caller, whose);
  assertKnown(scopes);
  const { secret, row } = newSecret(ctx);
  const keyId = id ?? newId(apiKeysPrefixes.apiKey);
  const values = { id: keyId, ...owner, ...row, name, scopes, expiresAt, createdBy: ctx.caller.user.id };
  return withConflicts(conflicts, () =>
    ctx.rls(async (tx) => {
      const after = await addKey(tx, owner, [values, maxActive]);
      audit(ctx, tx, { action: "apiKey.create", target: keyId, after, organizationId: owner.organizationId });
      return { ...after, secret };
    }),
  );
}

/** A new key in the place of an old one, which works on for the overlap. Whoever gets the secret stands for it. */
export function rotateApiKey(ctx: UserContext, { owner: whose, id, overlapSeconds, expiresAt }: RotateInput) {
  const owner = assertMayManage(ctx.caller, whose);
  const { secret, row } = newSecret(ctx);
  const newKeyId = newId(apiKeysPrefixes.apiKey);
  const runsOut = new Date(Date.now() + overlapSeconds * 1000);
  return ctx.rls(async (tx) => {
    const { before } = await changeActive(ctx, [tx, owner], {
      action: "apiKey.rotate",
      id,
      values: { replacedBy: newKeyId, expiresAt: sql`least(${apiKey.expiresAt}, ${runsOut})` },
      only: { where: isNull(apiKey.replacedBy), refusal: replaced },
    });
    const { name, scopes } = before;
    const until = expiresAt === undefined ? before.expiresAt : expiresAt;
    const createdBy = ctx.caller.user.id;
    const values = { id: newKeyId, ...owner, ...row, name, scopes, createdBy, expiresAt: until };
    const made = await addKey(tx, owner, [values, maxWithOverlaps]);
    const { organizationId } = owner;
    audit(ctx, tx, { action: "apiKey.create", target: newKeyId, after: made, organizationId });
    return { ...made, secret };
  });
}
